import assert from 'node:assert/strict';
import test from 'node:test';
import { ConflictException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, member, may, organization, permissions, refused, slugs } from './rolecall.mjs';

test('a new environment has no permissions', async () => {
  const list = await authorization.listPermissions();
  assert.deepEqual(list.data, []);
  assert.deepEqual(list.listMetadata, { before: null, after: null });
});

test('a permission is created, read, changed and deleted', async () => {
  const created = await authorization.createPermission({
    slug: 'invoices:read', name: 'Read invoices', description: 'Sees <invoices> & "more"',
  });
  assert.match(created.id, /^perm_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.match(created.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(created, {
    object: 'permission',
    id: created.id,
    slug: 'invoices:read',
    name: 'Read invoices',
    description: 'Sees <invoices> & "more"',
    resourceTypeSlug: 'organization',
    system: false,
    createdAt: created.createdAt,
    updatedAt: created.createdAt,
  });
  assert.deepEqual(await authorization.getPermission('invoices:read'), created);

  const renamed = await authorization.updatePermission('invoices:read', { name: 'Reads invoices' });
  assert.equal(renamed.name, 'Reads invoices');
  assert.equal(renamed.id, created.id);
  assert.equal(renamed.createdAt, created.createdAt);

  await authorization.deletePermission('invoices:read');
  await refused(authorization.getPermission('invoices:read'), NotFoundException, {
    code: 'entity_not_found', message: /invoices:read/,
  });
  await refused(authorization.deletePermission('invoices:read'), NotFoundException);
});

test('R42: null clears a description, undefined leaves it', async () => {
  const without = await authorization.createPermission({ slug: 'described', name: 'Described' });
  assert.equal(without.description, null);
  const change = async (options) => (await authorization.updatePermission('described', options)).description;
  assert.equal(await change({ description: 'said' }), 'said');
  assert.equal(await change({ name: 'Other' }), 'said');
  assert.equal(await change({ name: 'Other', description: undefined }), 'said');
  assert.equal(await change({ description: null }), null);
  assert.equal((await authorization.getPermission('described')).name, 'Other');
});

test('R41: a change of nothing leaves the permission as it is', async () => {
  const before = await authorization.getPermission('described');
  assert.deepEqual(await authorization.updatePermission('described', {}), before);
  assert.deepEqual(await authorization.updatePermission('described', { name: before.name }), before);
});

test('R50: slugs hold every delimiter and are found by them', async () => {
  const unusual = ['docs:*', '*', 'a:b:c', 'v1.docs', 'under_score', 'da-sh', '*:*', 'x'.repeat(48)];
  await permissions(...unusual);
  for (const slug of unusual) {
    assert.equal((await authorization.getPermission(slug)).slug, slug);
    assert.equal((await authorization.updatePermission(slug, { name: 'N' })).slug, slug);
  }
  const org = await organization();
  await authorization.createOrganizationRole(org.id, { slug: 'org-unusual', name: 'Unusual' });
  const role = await authorization.setOrganizationRolePermissions(org.id, 'org-unusual', { permissions: unusual });
  assert.deepEqual(role.permissions, [...unusual].sort());
  for (const slug of unusual) {
    await authorization.removeOrganizationRolePermission(org.id, 'org-unusual', { permissionSlug: slug });
  }
  assert.deepEqual((await authorization.getOrganizationRole(org.id, 'org-unusual')).permissions, []);
  for (const slug of unusual) await authorization.deletePermission(slug);
});

test('R51: a star grants nothing but itself', async () => {
  await permissions('posts:*', 'posts:read');
  const org = await organization();
  await authorization.createOrganizationRole(org.id, { slug: 'org-star', name: 'Star' });
  await authorization.setOrganizationRolePermissions(org.id, 'org-star', { permissions: ['posts:*'] });
  const m = await member(org.id, { roleSlug: 'org-star' });
  assert.equal(await may(m, 'posts:*'), true);
  assert.equal(await may(m, 'posts:read'), false);
});

test('a taken slug is a conflict and changes nothing', async () => {
  const first = await authorization.createPermission({ slug: 'taken', name: 'First' });
  await refused(authorization.createPermission({ slug: 'taken', name: 'Second' }), ConflictException, {
    code: 'permission_slug_conflict', message: /taken/,
  });
  assert.deepEqual(await authorization.getPermission('taken'), first);
});

test('a malformed permission is refused with every field named', async () => {
  const create = (options) => authorization.createPermission({ slug: 'fine', name: 'Fine', ...options });
  const code = 'invalid_request_parameters';
  for (const slug of ['', 'Upper', 'has blank', 'ümlaut', 'a/b', 'x'.repeat(49)]) {
    await refused(create({ slug }), UnprocessableEntityException, { code, message: /slug must/ });
  }
  await refused(create({ name: '' }), UnprocessableEntityException, { code, message: /name must not be empty/ });
  await refused(create({ name: 'n'.repeat(49) }), UnprocessableEntityException, { code, message: /name must be at most 48/ });
  await refused(create({ description: 'd'.repeat(151) }), UnprocessableEntityException, { code, message: /description must be at most 150/ });
  await refused(create({ slug: undefined }), UnprocessableEntityException, { code, message: /slug/ });
  await refused(create({ name: 7 }), UnprocessableEntityException, { code, message: /name/ });
  await refused(create({ slug: 'Upper', name: '' }), UnprocessableEntityException, { code, message: /slug must[^]*name must/ });
  await refused(create({ resourceTypeSlug: 'galaxy' }), NotFoundException, { code: 'entity_not_found', message: /galaxy/ });
  await refused(authorization.getPermission('fine'), NotFoundException);
});

test('limits count characters, not bytes', async () => {
  const made = await authorization.createPermission({ slug: 'wide', name: '鍵'.repeat(48), description: '👍'.repeat(150) });
  assert.equal(made.name, '鍵'.repeat(48));
  assert.equal((await authorization.getPermission('wide')).description, '👍'.repeat(150));
});

test('R53: deleting a permission takes it off every role; its slug starts from nothing', async () => {
  await permissions('cascade:a', 'cascade:b');
  const org = await organization();
  await authorization.createEnvironmentRole({ slug: 'cascade', name: 'Cascade' });
  await authorization.setEnvironmentRolePermissions('cascade', { permissions: ['cascade:a', 'cascade:b'] });
  await authorization.createOrganizationRole(org.id, { slug: 'org-cascade', name: 'Cascade' });
  await authorization.setOrganizationRolePermissions(org.id, 'org-cascade', { permissions: ['cascade:a'] });
  const holder = await member(org.id, { roleSlug: 'org-cascade' });
  assert.equal(await may(holder, 'cascade:a'), true);

  await authorization.deletePermission('cascade:a');
  assert.deepEqual((await authorization.getEnvironmentRole('cascade')).permissions, ['cascade:b']);
  assert.deepEqual((await authorization.getOrganizationRole(org.id, 'org-cascade')).permissions, []);
  await refused(authorization.check({ organizationMembershipId: holder.id, permissionSlug: 'cascade:a' }), NotFoundException);

  await permissions('cascade:a');
  assert.equal(await may(holder, 'cascade:a'), false);
});

test('more than 100 permissions are paged in both orders', async () => {
  for (const { slug } of await (await authorization.listPermissions()).autoPagination()) {
    await authorization.deletePermission(slug);
  }
  // One after the other, so that the order of creation is known.
  const made = Array.from({ length: 105 }, (_, i) => `page:${i}`);
  await permissions(...made);
  const newestFirst = [...made].reverse();

  const all = async (options) => slugs({ data: await (await authorization.listPermissions(options)).autoPagination() });
  assert.deepEqual(await all({ order: 'asc' }), made);
  assert.deepEqual(await all({ order: 'desc' }), newestFirst);
  assert.deepEqual(await all(), newestFirst);

  // By hand, forth and back.
  const page = (options) => authorization.listPermissions({ limit: 40, ...options });
  const first = await page();
  assert.deepEqual(slugs(first), newestFirst.slice(0, 40));
  assert.equal(first.listMetadata.before, null);
  const second = await page({ after: first.listMetadata.after });
  assert.deepEqual(slugs(second), newestFirst.slice(40, 80));
  const last = await page({ after: second.listMetadata.after });
  assert.deepEqual(slugs(last), newestFirst.slice(80));
  assert.equal(last.listMetadata.after, null);
  assert.deepEqual(slugs(await page({ before: last.listMetadata.before })), newestFirst.slice(40, 80));
  assert.deepEqual(slugs(await page({ before: second.listMetadata.before })), newestFirst.slice(0, 40));

  // A page without a limit has ten items.
  assert.equal((await authorization.listPermissions()).data.length, 10);
  for (const bad of [{ limit: 101 }, { limit: 0 }, { after: 'perm_nonsense' }, { order: 'sideways' }]) {
    await refused(authorization.listPermissions(bad), UnprocessableEntityException, { code: 'invalid_request_parameters' });
  }
});
