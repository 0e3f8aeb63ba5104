import assert from 'node:assert/strict';
import test from 'node:test';
import { ConflictException, GenericServerException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, may, member, organization, permissions, policy, refused, slugs, times, userManagement } from './rolecall.mjs';

const listed = async (org) => slugs(await authorization.listOrganizationRoles(org.id));
const create = (org, options) => authorization.createOrganizationRole(org.id, options);

const defaultOf = async (org) => {
  const { status, body } = await policy(org.id).default();
  assert.equal(status, 200);
  return [body.role.slug, body.source];
};

test('before: an organization follows the default and the order of the environment', async () => {
  await authorization.createEnvironmentRole({ slug: 'admin', name: 'Admin' });
  await authorization.createEnvironmentRole({ slug: 'viewer', name: 'Viewer' });
  await policy().setPriority(['admin', 'member', 'viewer']);

  const org = await organization();
  const { data } = await authorization.listOrganizationRoles(org.id);
  assert.deepEqual(data, (await authorization.listEnvironmentRoles()).data);
  assert.deepEqual(slugs({ data }), ['admin', 'member', 'viewer']);
  assert.deepEqual(await defaultOf(org), ['member', 'environment']);

  await policy().setPriority(['viewer', 'admin', 'member']);
  await policy().setDefault('viewer');
  assert.deepEqual(await listed(org), ['viewer', 'admin', 'member']);
  assert.deepEqual(await defaultOf(org), ['viewer', 'environment']);
  assert.equal((await member(org.id)).role.slug, 'viewer');

  const { priority, setDefault, setPriority } = policy(org.id);
  assert.equal((await priority()).body.source, 'environment');
  for (const refusal of [await setDefault('admin'), await setPriority(['admin', 'member', 'viewer'])]) {
    assert.equal(refusal.status, 409);
    assert.equal(refusal.body.code, 'organization_has_no_custom_roles');
  }
});

test('R32, R33: the first custom role detaches the organization; later environment roles come to its bottom', async () => {
  await policy().setPriority(['admin', 'member', 'viewer']);
  await policy().setDefault('member');
  const org = await organization();
  const follower = await organization();

  const role = await create(org, { slug: 'org-billing', name: 'Billing', description: 'Pays' });
  assert.deepEqual(role, {
    object: 'role',
    id: role.id,
    name: 'Billing',
    slug: 'org-billing',
    description: 'Pays',
    permissions: [],
    resourceTypeSlug: 'organization',
    type: 'OrganizationRole',
    createdAt: role.createdAt,
    updatedAt: role.createdAt,
  });
  assert.deepEqual(await authorization.getOrganizationRole(org.id, 'org-billing'), role);
  assert.deepEqual(await listed(org), ['admin', 'member', 'viewer', 'org-billing']);
  assert.deepEqual(
    (await authorization.listOrganizationRoles(org.id)).data.map(({ type }) => type),
    ['EnvironmentRole', 'EnvironmentRole', 'EnvironmentRole', 'OrganizationRole'],
  );
  assert.deepEqual(await defaultOf(org), ['member', 'organization']);
  assert.equal((await policy(org.id).priority()).body.source, 'organization');

  await policy().setPriority(['viewer', 'member', 'admin']);
  await policy().setDefault('viewer');
  assert.deepEqual(await listed(org), ['admin', 'member', 'viewer', 'org-billing']);
  assert.deepEqual(await defaultOf(org), ['member', 'organization']);
  assert.deepEqual(await listed(follower), ['viewer', 'member', 'admin']);
  assert.deepEqual(await defaultOf(follower), ['viewer', 'environment']);
  assert.equal((await member(org.id)).role.slug, 'member');
  assert.equal((await member(follower.id)).role.slug, 'viewer');

  await authorization.createEnvironmentRole({ slug: 'auditor', name: 'Auditor' });
  assert.deepEqual(await listed(org), ['admin', 'member', 'viewer', 'org-billing', 'auditor']);
  await create(org, { slug: 'org-support', name: 'Support' });
  assert.deepEqual(await listed(org), ['admin', 'member', 'viewer', 'org-billing', 'auditor', 'org-support']);
  assert.deepEqual(await listed(follower), ['viewer', 'member', 'admin', 'auditor']);
  assert.equal((await member(org.id, { roleSlug: 'auditor' })).role.slug, 'auditor');
});

test('R22: an organization orders its roles and chooses its default, also a custom one', async () => {
  const org = await organization();
  await create(org, { slug: 'org-first', name: 'First' });
  const own = policy(org.id);
  const wanted = [...(await listed(org))].reverse();
  assert.equal(wanted[0], 'org-first');
  const ordered = await own.setPriority(wanted);
  assert.deepEqual([ordered.status, ordered.body.role_slugs, ordered.body.source], [200, wanted, 'organization']);
  assert.deepEqual(await listed(org), wanted);
  const short = await own.setPriority(wanted.slice(1));
  assert.deepEqual([short.status, short.body.code], [422, 'invalid_request_parameters']);
  assert.deepEqual(await listed(org), wanted);

  const early = await member(org.id);
  assert.equal((await own.setDefault('org-first')).status, 200);
  assert.deepEqual(await defaultOf(org), ['org-first', 'organization']);
  const late = await member(org.id);
  assert.equal(late.role.slug, 'org-first');
  assert.equal((await userManagement.getOrganizationMembership(early.id)).role.slug, 'viewer');

  const elsewhere = await organization();
  await create(elsewhere, { slug: 'org-elsewhere', name: 'Elsewhere' });
  const foreign = await own.setDefault('org-elsewhere');
  assert.deepEqual([foreign.status, foreign.body.code], [422, 'invalid_role']);

  // R43, R44: not while a member holds it, not while it is the default.
  const drop = () => authorization.deleteOrganizationRole(org.id, 'org-first');
  await refused(drop(), ConflictException, { code: 'role_has_assignments' });
  await userManagement.deleteOrganizationMembership(late.id);
  await refused(drop(), GenericServerException, { status: 400, code: 'bad_request', message: /default/ });
  assert.equal((await own.setDefault('admin')).status, 200);
  await drop();

  // R36: without custom roles it keeps what is its own.
  assert.deepEqual(await defaultOf(org), ['admin', 'organization']);
  assert.deepEqual(await listed(org), wanted.slice(1));
});

test('R6: without a slug one is made of the name and the id', async () => {
  const org = await organization();
  for (const [name, base] of [
    ['Billing Admin', 'billing-admin'],
    ['  Crème & Brûlée (EU)  ', 'creme-brulee-eu'],
    ['請求管理者', 'role'],
    ['snake_case name', 'snake_case-name'],
    ['x'.repeat(48), 'x'.repeat(41)],
  ]) {
    const role = await create(org, { name });
    const [, found, suffix] = /^(.*)-([a-z0-9]{6})$/.exec(role.slug);
    assert.equal(found, base, role.slug);
    assert.ok(role.id.toLowerCase().endsWith(suffix), `${role.slug} of ${role.id}`);
    assert.ok(role.slug.length <= 48);
    assert.equal(role.name, name);
    assert.equal(role.type, 'OrganizationRole');
    assert.equal((await authorization.getOrganizationRole(org.id, role.slug)).id, role.id);
  }
  const twins = await times(4, () => create(org, { name: 'Twin' }));
  assert.equal(new Set(twins.map(({ slug }) => slug)).size, 4, 'R12: names need not be unique');
});

test('R5, R7, R8: an explicit slug has its prefix and is nobody else\'s here', async () => {
  const org = await organization();
  for (const slug of ['billing', 'org-', 'org--x', 'org-X', 'org-a b', '', `org-${'x'.repeat(45)}`]) {
    await refused(create(org, { slug, name: 'N' }), UnprocessableEntityException, {
      code: 'invalid_request_parameters', message: /slug must/,
    });
  }
  const first = await create(org, { slug: 'org-billing', name: 'First' });
  await refused(create(org, { slug: 'org-billing', name: 'Second' }), ConflictException, {
    code: 'organization_role_slug_conflict', message: /org-billing/,
  });
  assert.deepEqual(await authorization.getOrganizationRole(org.id, 'org-billing'), first);

  // R2: another organization may have the same.
  const other = await organization();
  const same = await create(other, { slug: 'org-billing', name: 'Theirs' });
  assert.notEqual(same.id, first.id);
  assert.equal((await authorization.getOrganizationRole(org.id, 'org-billing')).name, 'First');

  await authorization.createEnvironmentRole({ slug: 'org-owner', name: 'Owner' });
  await refused(create(org, { slug: 'org-owner', name: 'Mine' }), ConflictException, { code: 'organization_role_slug_conflict' });
  // A custom role that was there first is found before the environment's.
  await authorization.createEnvironmentRole({ slug: 'org-billing', name: 'Everybody\'s' });
  assert.equal((await authorization.getOrganizationRole(org.id, 'org-billing')).name, 'First');
  assert.equal((await authorization.getEnvironmentRole('org-billing')).name, 'Everybody\'s');
});

test('two first custom roles at once, and two of one slug', async () => {
  const org = await organization();
  const made = await times(8, (i) => create(org, { slug: `org-race-${i}`, name: 'Race' }));
  const own = (await authorization.listOrganizationRoles(org.id)).data.filter(({ type }) => type === 'OrganizationRole');
  assert.deepEqual(own.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());

  const results = await Promise.allSettled(Array.from({ length: 4 }, () => create(org, { slug: 'org-same', name: 'Same' })));
  const won = results.filter(({ status }) => status === 'fulfilled');
  assert.equal(won.length, 1);
  for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
    assert.ok(reason instanceof ConflictException, String(reason));
    assert.equal(reason.code, 'organization_role_slug_conflict');
  }
});

test('permissions are set, added and removed, and count at once', async () => {
  await permissions('bills:read', 'bills:pay', 'bills:*');
  const org = await organization();
  await create(org, { slug: 'org-bills', name: 'Bills' });
  const m = await member(org.id, { roleSlug: 'org-bills' });
  const read = async () => (await authorization.getOrganizationRole(org.id, 'org-bills')).permissions;
  const answers = async () => [await may(m, 'bills:read'), await may(m, 'bills:pay'), await may(m, 'bills:*')];

  assert.deepEqual(await answers(), [false, false, false]);
  const set = await authorization.setOrganizationRolePermissions(org.id, 'org-bills', { permissions: ['bills:read', 'bills:*'] });
  assert.deepEqual(set.permissions, ['bills:*', 'bills:read']);
  assert.deepEqual(await answers(), [true, false, true]);

  const added = await authorization.addOrganizationRolePermission(org.id, 'org-bills', { permissionSlug: 'bills:pay' });
  assert.deepEqual(added.permissions, ['bills:*', 'bills:pay', 'bills:read']);
  assert.deepEqual(await answers(), [true, true, true]);
  assert.deepEqual(
    await authorization.addOrganizationRolePermission(org.id, 'org-bills', { permissionSlug: 'bills:pay' }),
    added, 'R56: already held',
  );

  await authorization.removeOrganizationRolePermission(org.id, 'org-bills', { permissionSlug: 'bills:*' });
  assert.deepEqual(await read(), ['bills:pay', 'bills:read']);
  assert.deepEqual(await answers(), [true, true, false]);
  await refused(
    authorization.removeOrganizationRolePermission(org.id, 'org-bills', { permissionSlug: 'bills:*' }),
    NotFoundException, { code: 'entity_not_found' },
  );

  await refused(
    authorization.setOrganizationRolePermissions(org.id, 'org-bills', { permissions: ['bills:*', 'bills:gone'] }),
    NotFoundException, { message: /bills:gone/ },
  );
  assert.deepEqual(await read(), ['bills:pay', 'bills:read']);

  await authorization.setOrganizationRolePermissions(org.id, 'org-bills', { permissions: [] });
  assert.deepEqual(await read(), []);
  assert.deepEqual(await answers(), [false, false, false]);
});

test('R3, R42: name and description change, the slug stays', async () => {
  const org = await organization();
  const made = await create(org, { name: 'Before', description: null });
  const change = (options) => authorization.updateOrganizationRole(org.id, made.slug, options);
  assert.equal((await change({ description: 'said' })).description, 'said');
  const renamed = await change({ name: 'After' });
  assert.deepEqual([renamed.slug, renamed.name, renamed.description], [made.slug, 'After', 'said']);
  assert.equal((await change({ description: undefined })).description, 'said');
  const cleared = await change({ description: null });
  assert.equal(cleared.description, null);
  assert.deepEqual(await change({}), cleared, 'R41: a change of nothing');
  await refused(change({ description: 'd'.repeat(151) }), UnprocessableEntityException, { message: /description/ });
});

test('an environment role is read, not changed, through an organization', async () => {
  const org = await organization();
  await create(org, { slug: 'org-own', name: 'Own' });
  const before = await authorization.getOrganizationRole(org.id, 'admin');
  assert.equal(before.type, 'EnvironmentRole');
  for (const write of [
    () => authorization.updateOrganizationRole(org.id, 'admin', { name: 'Mine' }),
    () => authorization.deleteOrganizationRole(org.id, 'admin'),
    () => authorization.setOrganizationRolePermissions(org.id, 'admin', { permissions: [] }),
    () => authorization.addOrganizationRolePermission(org.id, 'admin', { permissionSlug: 'bills:pay' }),
  ]) {
    await refused(write(), NotFoundException, { code: 'entity_not_found' });
  }
  assert.deepEqual(await authorization.getOrganizationRole(org.id, 'admin'), before);
});

test('a custom role is its organization\'s alone', async () => {
  const org = await organization();
  const other = await organization();
  const { slug } = await create(org, { name: 'Ours' });
  await refused(authorization.getOrganizationRole(other.id, slug), NotFoundException);
  await refused(authorization.getEnvironmentRole(slug), NotFoundException);
  await refused(member(other.id, { roleSlug: slug }), UnprocessableEntityException, { code: 'invalid_role' });
  assert.equal((await listed(other)).includes(slug), false);

  const nowhere = 'org_01JZ0000000000000000000000';
  await refused(authorization.listOrganizationRoles(nowhere), NotFoundException, { code: 'entity_not_found' });
  await refused(create({ id: nowhere }, { name: 'N' }), NotFoundException);
  await refused(create({ id: 'not/an id' }, { name: 'N' }), NotFoundException);
});

test('R43: a role in use is not deleted, whatever the status of its member', async () => {
  const org = await organization();
  await create(org, { slug: 'org-held', name: 'Held' });
  const m = await member(org.id, { roleSlug: 'org-held' });
  const drop = () => authorization.deleteOrganizationRole(org.id, 'org-held');
  const code = 'role_has_assignments';
  await refused(drop(), ConflictException, { code, message: /cannot be deleted because it has user role assignments/ });
  await userManagement.deactivateOrganizationMembership(m.id);
  await refused(drop(), ConflictException, { code });
  await userManagement.updateOrganizationMembership(m.id, { roleSlug: 'admin' });
  await drop();
  await refused(drop(), NotFoundException);
  assert.equal((await listed(org)).includes('org-held'), false);

  // The slug is free again, for another role.
  assert.equal((await create(org, { slug: 'org-held', name: 'New' })).name, 'New');
});
