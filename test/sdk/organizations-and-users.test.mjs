import assert from 'node:assert/strict';
import test from 'node:test';
import { BadRequestException, ConflictException, GenericServerException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { organization, organizations, refused, times, user, userManagement } from './rolecall.mjs';

const ids = (list) => list.map(({ id }) => id);

// Ids of other systems hold what they like.
const externalIds = ['cus/42', 'a b+c%2F?d#e&f=g', 'eu:west', 'org_01JZ0000000000000000000000', '~*\'()!', '...', '\\x"<>'];

test('an organization is created, read, changed and deleted', async () => {
  const created = await organizations.createOrganization({
    name: 'Foo & <Bar>',
    domainData: [{ domain: 'Foo.example', state: 'verified' }, { domain: 'bar.example', state: 'pending' }],
    metadata: { tier: 'gold', 'kein Schlüssel': '"✓"' },
    externalId: 'foo/1',
  });
  assert.match(created.id, /^org_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(created.name, 'Foo & <Bar>');
  assert.equal(created.externalId, 'foo/1');
  assert.deepEqual(created.metadata, { tier: 'gold', 'kein Schlüssel': '"✓"' });
  assert.deepEqual(
    created.domains.map(({ domain, state }) => [domain, state]),
    [['bar.example', 'pending'], ['foo.example', 'verified']],
  );
  assert.deepEqual(await organizations.getOrganization(created.id), created);

  const change = (options) => organizations.updateOrganization({ organization: created.id, ...options });
  const renamed = await change({ name: 'Foo' });
  assert.deepEqual([renamed.name, renamed.externalId, renamed.metadata, renamed.domains], ['Foo', 'foo/1', created.metadata, created.domains]);
  assert.deepEqual((await change({ metadata: { tier: 'tin' } })).metadata, { tier: 'tin', 'kein Schlüssel': '"✓"' });
  assert.deepEqual((await change({ metadata: { 'kein Schlüssel': null } })).metadata, { tier: 'tin' });
  assert.equal((await change({ externalId: null })).externalId, null);
  assert.equal((await change({ stripeCustomerId: 'cus_1' })).stripeCustomerId, 'cus_1');
  assert.deepEqual((await change({ domainData: [] })).domains, []);
  const now = await organizations.getOrganization(created.id);
  assert.deepEqual(await change({}), now);

  await organizations.deleteOrganization(created.id);
  await refused(organizations.getOrganization(created.id), NotFoundException, { code: 'entity_not_found' });
  await refused(change({ name: 'N' }), NotFoundException);
});

test('external ids hold any ASCII and lead to their organization and user', async () => {
  for (const externalId of externalIds) {
    const org = await organization({ externalId });
    const person = await user({ externalId });
    assert.equal((await organizations.getOrganizationByExternalId(externalId)).id, org.id, externalId);
    assert.equal((await userManagement.getUserByExternalId(externalId)).id, person.id, externalId);
  }
  await refused(organizations.getOrganizationByExternalId('cus/43'), NotFoundException, { code: 'entity_not_found', message: /cus\/43/ });
  await refused(userManagement.getUserByExternalId('cus/43'), NotFoundException);

  // An external id that reads like an id is still none.
  await refused(organizations.getOrganization('org_01JZ0000000000000000000000'), NotFoundException);
  const org = await organization();
  await refused(organizations.getOrganizationByExternalId(org.id), NotFoundException);
});

test('what is unique is refused a second time', async () => {
  await organization({ externalId: 'one/of/one', domainData: [{ domain: 'only.example', state: 'pending' }] });
  await refused(organization({ externalId: 'one/of/one' }), GenericServerException, {
    status: 400, code: 'external_id_already_used', message: /one\/of\/one/,
  });
  await refused(organization({ domainData: [{ domain: 'ONLY.example', state: 'pending' }] }), ConflictException, { message: /only\.example/ });
  await user({ email: 'ada@example.test', externalId: 'u/1' });
  await refused(user({ externalId: 'u/1' }), GenericServerException, { status: 400, code: 'external_id_already_used' });
  const error = await refused(user({ email: 'ADA@example.test' }), BadRequestException, { code: 'user_creation_error' });
  assert.equal(error.errors[0].field, 'email');
  assert.match(error.errors[0].message, /already used/);
});

test('malformed input is refused with the field named', async () => {
  const code = 'invalid_request_parameters';
  await refused(organization({ name: '' }), UnprocessableEntityException, { code, message: /name/ });
  await refused(organization({ name: 5 }), UnprocessableEntityException, { code, message: /name/ });
  await refused(organization({ externalId: 'ü' }), UnprocessableEntityException, { code, message: /external_id/ });
  await refused(organization({ externalId: 'x'.repeat(129) }), UnprocessableEntityException, { code, message: /external_id/ });
  await refused(organization({ domainData: [{ domain: 'no domain', state: 'pending' }] }), UnprocessableEntityException, { code, message: /domain_data/ });
  const crowded = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v']));
  const error = await refused(organization({ metadata: crowded }), BadRequestException, { code: 'invalid_metadata', message: /50/ });
  assert.equal(error.errors[0].field, 'metadata');
  await refused(organization({ metadata: { n: 1 } }), UnprocessableEntityException, { code, message: /metadata/ });
  await refused(user({ email: 'nobody' }), UnprocessableEntityException, { code, message: /email/ });
  await refused(user({ password: 'secret' }), UnprocessableEntityException, { code, message: /password/ });
});

test('organizations are searched', async () => {
  const org = await organization({ name: 'Ünïque GmbH', domainData: [{ domain: 'unique.example', state: 'verified' }] });
  const found = async (options) => ids((await organizations.listOrganizations(options)).data);
  assert.deepEqual(await found({ domains: ['unique.example'] }), [org.id]);
  assert.deepEqual(await found({ domains: ['other.example', 'UNIQUE.example'] }), [org.id]);
  assert.deepEqual(await found({ domains: ['other.example'] }), []);
  assert.deepEqual(await found({ search: 'ÜNÏQUE' }), [org.id]);
});

test('a user is created, read, changed and deleted', async () => {
  const created = await userManagement.createUser({
    email: 'Grace@Example.test', firstName: 'Grace', lastName: 'Hopper', emailVerified: true,
    metadata: { rank: 'RADM' }, externalId: 'navy/1',
  });
  assert.match(created.id, /^user_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(created, {
    object: 'user',
    id: created.id,
    email: created.email,
    emailVerified: true,
    name: created.name,
    firstName: 'Grace',
    lastName: 'Hopper',
    profilePictureUrl: null,
    lastSignInAt: null,
    locale: null,
    externalId: 'navy/1',
    metadata: { rank: 'RADM' },
    createdAt: created.createdAt,
    updatedAt: created.createdAt,
  });
  assert.equal(created.email.toLowerCase(), 'grace@example.test');
  assert.deepEqual(await userManagement.getUser(created.id), created);
  assert.deepEqual(ids((await userManagement.listUsers({ email: 'grace@EXAMPLE.test' })).data), [created.id]);

  const change = (options) => userManagement.updateUser({ userId: created.id, ...options });
  const married = await change({ lastName: 'Murray' });
  assert.deepEqual([married.firstName, married.lastName, married.externalId], ['Grace', 'Murray', 'navy/1']);
  assert.equal((await change({ externalId: null })).externalId, null);
  assert.equal((await change({ locale: 'en-US' })).locale, 'en-US');

  const org = await organization();
  await userManagement.createOrganizationMembership({ userId: created.id, organizationId: org.id });
  assert.deepEqual(ids((await userManagement.listUsers({ organizationId: org.id })).data), [created.id]);

  await userManagement.deleteUser(created.id);
  await refused(userManagement.getUser(created.id), NotFoundException, { code: 'entity_not_found' });
  assert.deepEqual((await userManagement.listUsers({ organizationId: org.id })).data, []);
});

test('more than 100 organizations and users are paged in both orders', async () => {
  await times(101, (i) => organization({ name: `Paged ${i}` }));
  await times(101, () => user());
  for (const list of [
    (options) => organizations.listOrganizations(options),
    (options) => userManagement.listUsers(options),
  ]) {
    const all = async (order) => ids(await (await list({ order })).autoPagination());
    const ascending = await all('asc');
    assert.ok(ascending.length > 101);
    assert.equal(new Set(ascending).size, ascending.length);
    assert.deepEqual(await all('desc'), [...ascending].reverse());
  }
  const searched = await (await organizations.listOrganizations({ search: 'paged' })).autoPagination();
  assert.equal(searched.length, 101);
});
