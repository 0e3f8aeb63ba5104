import assert from 'node:assert/strict';
import test, { describe, it } from 'node:test';
import {
  BadRequestException, ConflictException, GenericServerException, NotFoundException, UnauthorizedException, UnprocessableEntityException,
} from '@workos-inc/node';

import { lossy, lostOnce, replayed } from './proxy.mjs';
import { authorization, client, events, member, organization, organizations, refused, slugs, user, userManagement, workos } from './rolecall.mjs';

test('a wrong key is an UnauthorizedException', async () => {
  for (const apiKey of ['sk_test_wrong', 'x', 'sk_'.repeat(80)]) {
    const stranger = client({ apiKey });
    await refused(stranger.authorization.listEnvironmentRoles(), UnauthorizedException, { status: 401 });
    await refused(stranger.authorization.createPermission({ slug: 'a', name: 'A' }), UnauthorizedException);
    await refused(stranger.get('/nothing/here'), NotFoundException, { code: 'route_not_found' });
  }
  await refused(authorization.getPermission('a'), NotFoundException);
});

test('every kind of refusal is the exception that the SDK has for it', async () => {
  const org = await organization({ externalId: 'used' });
  await refused(authorization.getEnvironmentRole('nobody'), NotFoundException, { code: 'entity_not_found', message: /nobody/, status: 404 });
  await refused(organizations.getOrganization('no such id'), NotFoundException, { code: 'entity_not_found' });
  await refused(workos.get('/nothing/here'), NotFoundException, { code: 'route_not_found' });
  await refused(workos.delete('/organizations'), GenericServerException, { status: 405, code: 'method_not_allowed' });
  await authorization.createOrganizationRole(org.id, { slug: 'org-a', name: 'A' });
  await refused(authorization.createOrganizationRole(org.id, { slug: 'org-a', name: 'A' }), ConflictException, {
    status: 409, code: 'organization_role_slug_conflict', message: /org-a/,
  });
  await refused(authorization.createOrganizationRole(org.id, { slug: 'a', name: '' }), UnprocessableEntityException, {
    status: 422, code: 'invalid_request_parameters', message: /requirements must be met[^]*slug must begin with 'org-'[^]*name must not be empty/,
  });
  await refused(organization({ externalId: 'used' }), GenericServerException, { status: 400, code: 'external_id_already_used' });
  await refused(organization({ metadata: { k: 'v'.repeat(601) } }), BadRequestException, { status: 400, code: 'invalid_metadata' });
  await refused(workos.delete('/authorization/roles/member'), GenericServerException, { status: 403, code: 'role_not_deletable' });
});

test('bodies that are not understood are refused, not retried', async () => {
  const post = (body) => workos.post('/authorization/permissions', body);
  for (const body of [[], 'text', 7]) {
    const error = await post(body).then(() => assert.fail('it succeeded'), (thrown) => thrown);
    assert.ok([400, 422].includes(error.status), String(error));
    assert.ok(error.requestID && error.code, String(error));
  }
  const proxy = await lossy(() => false);
  try {
    const huge = client({ port: proxy.port }).authorization.createPermission({ slug: 'huge', name: 'x'.repeat(1 << 20) });
    await refused(huge, GenericServerException, { status: 413 });
    assert.equal(proxy.requests.length, 1);
  } finally {
    await proxy.close();
  }
  // Unknown fields are ignored.
  const { data } = await post({ slug: 'modern', name: 'Modern', from_the_future: { a: [1] } });
  assert.equal(data.slug, 'modern');
});

// recorded lists the events of an organization that have one of these names.
const recorded = async (organizationId, ...names) =>
  (await events.listEvents({ events: names, organizationId, limit: 100 })).data;

// The SDK waits between its tries, so these run side by side.
describe('an answer gets lost and the SDK tries again', { concurrency: true }, () => {
  it('custom role with a slug is created once', async () => {
    const org = await organization();
    const done = await lostOnce((sdk) => sdk.authorization.createOrganizationRole(org.id, { slug: 'org-once', name: 'Once' }));
    replayed(done);
    assert.equal(done.result.slug, 'org-once');
    const own = (await authorization.listOrganizationRoles(org.id)).data.filter(({ type }) => type === 'OrganizationRole');
    assert.deepEqual(own, [done.result]);
    assert.equal((await recorded(org.id, 'organization_role.created')).length, 1);
  });

  it('custom role with a generated slug is created once', async () => {
    const org = await organization();
    const done = await lostOnce((sdk) => sdk.authorization.createOrganizationRole(org.id, { name: 'Once' }));
    replayed(done);
    const own = (await authorization.listOrganizationRoles(org.id)).data.filter(({ type }) => type === 'OrganizationRole');
    assert.deepEqual(own, [done.result]);
  });

  it('environment role is created once', async () => {
    const done = await lostOnce((sdk) => sdk.authorization.createEnvironmentRole({ slug: 'once', name: 'Once' }));
    replayed(done);
    assert.deepEqual(slugs(await authorization.listEnvironmentRoles()), ['member', 'once']);
  });

  it('permission is created once', async () => {
    const done = await lostOnce((sdk) => sdk.authorization.createPermission({ slug: 'once', name: 'Once' }));
    replayed(done);
    assert.deepEqual(await authorization.getPermission('once'), done.result);
  });

  it('organization is created once', async () => {
    const done = await lostOnce((sdk) => sdk.organizations.createOrganization({ name: 'Made once', externalId: 'once' }));
    replayed(done);
    assert.deepEqual((await organizations.listOrganizations({ search: 'made once' })).data, [done.result]);
  });

  it('user is created once', async () => {
    const done = await lostOnce((sdk) => sdk.userManagement.createUser({ email: 'once@example.test' }));
    replayed(done);
    assert.deepEqual((await userManagement.listUsers({ email: 'once@example.test' })).data, [done.result]);
  });

  it('membership is created once', async () => {
    const org = await organization();
    const { id: userId } = await user();
    const done = await lostOnce((sdk) => sdk.userManagement.createOrganizationMembership({ userId, organizationId: org.id }));
    replayed(done);
    assert.deepEqual((await userManagement.listOrganizationMemberships({ userId })).data, [done.result]);
    assert.equal((await recorded(org.id, 'organization_membership.created')).length, 1);
  });

  it('a refusal stays a refusal', async () => {
    const org = await organization();
    await authorization.createOrganizationRole(org.id, { slug: 'org-there', name: 'There' });
    await refused(
      lostOnce((sdk) => sdk.authorization.createOrganizationRole(org.id, { slug: 'org-there', name: 'Again' })),
      ConflictException, { code: 'organization_role_slug_conflict' },
    );
  });

  it('a change is carried out again without effect', async () => {
    const org = await organization();
    await authorization.createOrganizationRole(org.id, { slug: 'org-changed', name: 'Before' });
    const { result } = await lostOnce((sdk) => sdk.authorization.updateOrganizationRole(org.id, 'org-changed', { name: 'After' }));
    assert.equal(result.name, 'After');
    assert.equal((await recorded(org.id, 'organization_role.updated')).length, 1);

    // The second deletion cannot know of the first: the contract has no key there.
    await refused(
      lostOnce((sdk) => sdk.authorization.deleteOrganizationRole(org.id, 'org-changed')),
      NotFoundException, { code: 'entity_not_found' },
    );
    assert.equal((await recorded(org.id, 'organization_role.deleted')).length, 1);
  });

  it('a check is answered anew', async () => {
    await authorization.createPermission({ slug: 'ask', name: 'Ask' });
    const { id } = await organization();
    const m = await member(id);
    const { result, first, second } = await lostOnce((sdk) =>
      sdk.authorization.check({ organizationMembershipId: m.id, permissionSlug: 'ask' }));
    assert.deepEqual(result, { authorized: false });
    assert.equal(second.key, first.key);
    assert.equal(second.replayed, false);
  });
});

test('a key of the caller\'s own', async () => {
  const make = (name, idempotencyKey) => organizations.createOrganization({ name }, { idempotencyKey });
  const all = await Promise.all(Array.from({ length: 6 }, () => make('Keyed', 'key-1')));
  for (const org of all) assert.deepEqual(org, all[0]);
  assert.equal((await organizations.listOrganizations({ search: 'keyed' })).data.length, 1);

  await refused(make('Something else', 'key-1'), UnprocessableEntityException, { code: 'idempotency_key_reused' });
  assert.notEqual((await make('Keyed', 'key-2')).id, all[0].id);

  // A refusal is not kept: the same request may succeed later.
  await organization({ externalId: 'held' });
  const later = () => organizations.createOrganization({ name: 'Later', externalId: 'held' }, { idempotencyKey: 'key-3' });
  await refused(later(), GenericServerException, { code: 'external_id_already_used' });
  await organizations.deleteOrganization((await organizations.getOrganizationByExternalId('held')).id);
  assert.equal((await later()).externalId, 'held');
});

test('without retries the SDK sends no key, and a second creation is a conflict', async () => {
  const proxy = await lossy((_, n) => n === 1);
  try {
    const sdk = client({ port: proxy.port, maxRetries: 0 });
    await assert.rejects(sdk.authorization.createPermission({ slug: 'twice', name: 'Twice' }));
    await refused(sdk.authorization.createPermission({ slug: 'twice', name: 'Twice' }), ConflictException, { code: 'permission_slug_conflict' });
    assert.deepEqual(proxy.requests.map(({ key }) => key), [undefined, undefined]);
  } finally {
    await proxy.close();
  }
});
