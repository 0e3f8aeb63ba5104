import assert from 'node:assert/strict';
import test from 'node:test';
import { ConflictException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, extension, may, member, organization, permissions, policy, refused, slugs, userManagement } from './rolecall.mjs';

test('R20: an environment begins with the role member, which is its default', async () => {
  const { object, data: [seeded, ...others] } = await authorization.listEnvironmentRoles();
  assert.equal(object, 'list');
  assert.deepEqual(others, []);
  assert.match(seeded.id, /^role_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(seeded, {
    object: 'role',
    id: seeded.id,
    name: 'Member',
    slug: 'member',
    description: null,
    permissions: [],
    resourceTypeSlug: 'organization',
    type: 'EnvironmentRole',
    createdAt: seeded.createdAt,
    updatedAt: seeded.updatedAt,
  });
  const { status, body } = await policy().default();
  assert.equal(status, 200);
  assert.equal(body.role.slug, 'member');
});

test('a role is created, read, changed and, by extension, deleted', async () => {
  const created = await authorization.createEnvironmentRole({ slug: 'admin', name: 'Admin', description: 'All of it' });
  assert.equal(created.type, 'EnvironmentRole');
  assert.deepEqual(created.permissions, []);
  assert.deepEqual(await authorization.getEnvironmentRole('admin'), created);

  const change = (options) => authorization.updateEnvironmentRole('admin', options);
  assert.equal((await change({ name: 'Boss' })).description, 'All of it');
  assert.equal((await change({ description: undefined, name: 'Boss' })).description, 'All of it');
  assert.equal((await change({ description: null })).description, null);
  const now = await authorization.getEnvironmentRole('admin');
  assert.equal(now.name, 'Boss');
  assert.equal(now.id, created.id);
  assert.deepEqual(await change({}), now, 'R41: a change of nothing');

  assert.deepEqual(await extension('DELETE', '/authorization/roles/admin'), { status: 204, body: null });
  await refused(authorization.getEnvironmentRole('admin'), NotFoundException, { code: 'entity_not_found', message: /admin/ });
  assert.equal((await extension('DELETE', '/authorization/roles/admin')).status, 404);
});

test('permissions are set, added and removed', async () => {
  await permissions('docs:read', 'docs:write', 'docs:*');
  await authorization.createEnvironmentRole({ slug: 'editor', name: 'Editor' });
  const set = async (...wanted) =>
    (await authorization.setEnvironmentRolePermissions('editor', { permissions: wanted })).permissions;
  const add = (permissionSlug) => authorization.addEnvironmentRolePermission('editor', { permissionSlug });

  assert.deepEqual(await set('docs:write', 'docs:read', 'docs:write'), ['docs:read', 'docs:write'], 'R55: each once');
  assert.deepEqual((await add('docs:*')).permissions, ['docs:*', 'docs:read', 'docs:write']);
  const before = await authorization.getEnvironmentRole('editor');
  assert.deepEqual(await add('docs:*'), before, 'R56: already held');

  await refused(authorization.setEnvironmentRolePermissions('editor', { permissions: ['docs:read', 'docs:gone'] }), NotFoundException, {
    code: 'entity_not_found', message: /docs:gone/,
  });
  await refused(add('docs:gone'), NotFoundException);
  assert.deepEqual(await authorization.getEnvironmentRole('editor'), before, 'R55: nothing applied');

  const removed = await extension('DELETE', '/authorization/roles/editor/permissions/docs:*');
  assert.equal(removed.status, 200);
  assert.deepEqual(removed.body.permissions, ['docs:read', 'docs:write']);
  assert.equal((await extension('DELETE', '/authorization/roles/editor/permissions/docs:*')).status, 404, 'R57');
  assert.deepEqual(await set(), []);
});

test('a taken or malformed slug is refused', async () => {
  await refused(authorization.createEnvironmentRole({ slug: 'editor', name: 'Again' }), ConflictException, {
    code: 'role_slug_conflict', message: /editor/,
  });
  for (const slug of ['', '-a', 'a-', 'a--b', 'a_-b', 'A', 'a b', 'a:b', 'x'.repeat(49)]) {
    await refused(authorization.createEnvironmentRole({ slug, name: 'N' }), UnprocessableEntityException, {
      code: 'invalid_request_parameters', message: /slug must/,
    });
  }
  await refused(authorization.createEnvironmentRole({ name: 'N' }), UnprocessableEntityException, { message: /slug/ });
  await refused(authorization.createEnvironmentRole({ slug: 'elsewhere', name: 'N', resourceTypeSlug: 'galaxy' }), NotFoundException);
  await refused(authorization.updateEnvironmentRole('editor', { name: '' }), UnprocessableEntityException, { message: /name/ });
  await refused(authorization.updateEnvironmentRole('nobody', { name: 'N' }), NotFoundException, { code: 'entity_not_found' });
});

test('R30, R31: roles are listed in an order that new ones enter at the bottom', async () => {
  await authorization.createEnvironmentRole({ slug: 'viewer', name: 'Viewer' });
  assert.deepEqual(slugs(await authorization.listEnvironmentRoles()), ['member', 'editor', 'viewer']);

  const env = policy();
  const changed = await env.setPriority(['viewer', 'editor', 'member']);
  assert.equal(changed.status, 200);
  assert.deepEqual(changed.body.role_slugs, ['viewer', 'editor', 'member']);
  assert.deepEqual((await env.priority()).body, changed.body);
  assert.deepEqual(slugs(await authorization.listEnvironmentRoles()), ['viewer', 'editor', 'member']);

  await authorization.createEnvironmentRole({ slug: 'late', name: 'Late' });
  assert.deepEqual(slugs(await authorization.listEnvironmentRoles()), ['viewer', 'editor', 'member', 'late']);

  for (const wrong of [['viewer'], ['viewer', 'editor', 'member', 'late', 'late'], ['viewer', 'editor', 'member', 'nobody']]) {
    const refusal = await env.setPriority(wrong);
    assert.equal(refusal.status, 422);
    assert.equal(refusal.body.code, 'invalid_request_parameters');
    assert.equal(refusal.body.errors[0].field, 'role_slugs');
  }
  assert.deepEqual(slugs(await authorization.listEnvironmentRoles()), ['viewer', 'editor', 'member', 'late']);
});

test('R22, R24: another default is for the memberships made from then on', async () => {
  const org = await organization();
  const early = await member(org.id);
  assert.equal(early.role.slug, 'member');

  const env = policy();
  const changed = await env.setDefault('viewer');
  assert.equal(changed.status, 200);
  assert.equal(changed.body.role.slug, 'viewer');
  assert.equal((await env.default()).body.role.slug, 'viewer');

  assert.equal((await member(org.id)).role.slug, 'viewer');
  assert.equal((await userManagement.getOrganizationMembership(early.id)).role.slug, 'member');

  const unknown = await env.setDefault('nobody');
  assert.equal(unknown.status, 422);
  assert.equal(unknown.body.code, 'invalid_role');
});

test('a role in use cannot be deleted', async () => {
  const refuses = async (slug, status, code) => {
    const refusal = await extension('DELETE', `/authorization/roles/${slug}`);
    assert.equal(refusal.status, status);
    assert.equal(refusal.body.code, code);
  };
  await refuses('member', 403, 'role_not_deletable');
  await refuses('viewer', 409, 'role_has_assignments'); // and the default

  await authorization.createEnvironmentRole({ slug: 'unheld', name: 'Unheld' });
  await policy().setDefault('unheld');
  await refuses('unheld', 409, 'role_is_default');
  await policy().setDefault('member');
  assert.equal((await extension('DELETE', '/authorization/roles/unheld')).status, 204);
});

test('an environment role works in every organization', async () => {
  await authorization.setEnvironmentRolePermissions('editor', { permissions: ['docs:write'] });
  for (const org of [await organization(), await organization()]) {
    const m = await member(org.id, { roleSlug: 'editor' });
    assert.equal(await may(m, 'docs:write'), true);
    assert.equal(await may(m, 'docs:read'), false);
  }
});
