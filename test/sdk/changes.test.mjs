// What an application that only knows the SDK sees of what administrators do
// through the extensions: several roles at once, roles for a time, and roles
// deleted while they are in use.

import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { ConflictException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import {
  authorization, events, eventually, extension, may, member, organization, permissions, policy, refused, slugs, userManagement, workos,
} from './rolecall.mjs';

const { groups } = workos;
const home = (organizationId) => organizationId.replace('org_', 'authz_resource_');
const rolesOf = async ({ id }) => (await userManagement.getOrganizationMembership(id)).roles.map(({ slug }) => slug);

async function multiple(on) {
  const { status, body } = await extension('PUT', '/authorization/settings', { multiple_roles: on });
  assert.deepEqual([status, body.multiple_roles], [200, on]);
}

// finished waits for the work that follows a change.
function finished(job) {
  return eventually(async () => {
    const { body } = await extension('GET', `/authorization/jobs/${job.id}`);
    assert.equal(body.state, 'finished');
  });
}

// told lists what was told of memberships of an organization since, as the
// membership and its roles.
async function told(organizationId) {
  const { data } = await events.listEvents({ events: ['organization_membership.updated'], organizationId, limit: 100 });
  return data.map(({ data: { id, roles } }) => `${id} ${roles.map(({ slug }) => slug).join(' ')}`);
}

const eventuallyTold = (organizationId, ...wanted) => eventually(async () => assert.deepEqual(await told(organizationId), wanted));

before(async () => {
  await permissions('books:read', 'books:write', 'books:burn');
  for (const [slug, permission] of [['burner', 'books:burn'], ['writer', 'books:write'], ['reader', 'books:read']]) {
    await authorization.createEnvironmentRole({ slug, name: slug });
    await authorization.setEnvironmentRolePermissions(slug, { permissions: [permission] });
  }
  assert.equal((await policy().setPriority(['burner', 'writer', 'reader', 'member'])).status, 200);
});

test('with multiple roles, a membership has all it was given, and keeps the highest when they are switched off', async (t) => {
  const { id: organizationId } = await organization();
  const m = await member(organizationId);
  await refused(userManagement.updateOrganizationMembership(m.id, { roleSlugs: ['reader', 'writer'] }), UnprocessableEntityException, {
    code: 'multiple_roles_not_enabled',
  });
  await multiple(true);
  t.after(() => multiple(false));
  const both = await userManagement.updateOrganizationMembership(m.id, { roleSlugs: ['reader', 'writer'] });
  assert.deepEqual([both.role, both.roles], [{ slug: 'writer' }, [{ slug: 'writer' }, { slug: 'reader' }]], 'highest first');
  assert.deepEqual([await may(m, 'books:read'), await may(m, 'books:write')], [true, true]);
  const made = await member(organizationId, { roleSlugs: ['member', 'reader'] });
  assert.deepEqual(made.roles, [{ slug: 'reader' }, { slug: 'member' }]);

  // assignRole adds; a group adds, too (R136).
  await authorization.assignRole({ organizationMembershipId: m.id, roleSlug: 'burner', resourceId: home(organizationId) });
  assert.deepEqual(await rolesOf(m), ['burner', 'writer', 'reader']);
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: made.id });
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'writer' });
  assert.deepEqual(await rolesOf(made), ['writer', 'reader', 'member']);
  const { data } = await userManagement.listOrganizationMemberships({ organizationId });
  assert.deepEqual(data.map(({ id }) => id), [made.id, m.id]);
  assert.deepEqual(data[0].roles.map(({ slug }) => slug), ['writer', 'reader', 'member']);
  await eventuallyTold(organizationId, `${m.id} writer reader`, `${m.id} burner writer reader`, `${made.id} writer reader member`);

  await multiple(false);
  assert.deepEqual([await rolesOf(m), await rolesOf(made)], [['burner'], ['writer']]);
  assert.deepEqual([await may(m, 'books:burn'), await may(m, 'books:read')], [true, false]);
  await eventually(async () => {
    const after = (await told(organizationId)).slice(3);
    assert.deepEqual(after.sort(), [`${m.id} burner`, `${made.id} writer`].sort());
  });
});

test('a role for a time is there until it ends, which the events tell', async () => {
  const { id: organizationId } = await organization();
  const m = await member(organizationId, { roleSlug: 'reader' });
  const expires = new Date(Date.now() + 4000);
  const path = `/authorization/organization_memberships/${m.id}/role_assignments`;
  const { status, body } = await extension('POST', path, { role_slug: 'burner', expires_at: expires.toISOString() });
  assert.deepEqual([status, body.expires_at], [201, expires.toISOString()]);
  // The SDK reads it as any other assignment, beside what is there for good.
  const early = [
    (await authorization.listRoleAssignments({ organizationMembershipId: m.id })).data.map(({ id, role }) => [id === body.id, role.slug]),
    await rolesOf(m),
    await may(m, 'books:burn'),
  ];
  if (Date.now() < expires) assert.deepEqual(early, [[[true, 'burner'], [false, 'reader']], ['burner'], true]);

  await eventually(async () => assert.equal(await may(m, 'books:burn'), false));
  assert.ok(Date.now() >= expires - 100, 'not before its end');
  assert.deepEqual(await rolesOf(m), ['reader']);
  assert.equal(await may(m, 'books:read'), true);
  await refused(authorization.removeRoleAssignment({ organizationMembershipId: m.id, roleAssignmentId: body.id }), NotFoundException);
  await eventuallyTold(organizationId, `${m.id} burner`, `${m.id} reader`);
});

test('a role that begins later is listed and counts for nothing until then', async () => {
  const { id: organizationId } = await organization();
  const m = await member(organizationId);
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: m.id });
  const starts = new Date(Date.now() + 2500);
  const made = await extension('POST', `/authorization/groups/${groupId}/role_assignments`, { role_slug: 'writer', starts_at: starts.toISOString() });
  assert.equal(made.status, 201);
  const { data } = await authorization.listRoleAssignments({ organizationMembershipId: m.id });
  assert.ok(data.some(({ source }) => source.groupRoleAssignmentId === made.body.id));
  const early = [await may(m, 'books:write'), await rolesOf(m)];
  if (Date.now() < starts) assert.deepEqual(early, [false, ['member']]);
  await eventually(async () => assert.equal(await may(m, 'books:write'), true));
  assert.ok(Date.now() >= starts - 100, 'not before its beginning');
  assert.deepEqual(await rolesOf(m), ['writer']);
  await eventuallyTold(organizationId, `${m.id} writer`);
});

test('holders of a deleted role have its replacement at once, and events tell of each', async () => {
  const { id: organizationId } = await organization();
  const { slug } = await authorization.createOrganizationRole(organizationId, { name: 'Librarian' });
  await authorization.setOrganizationRolePermissions(organizationId, slug, { permissions: ['books:write'] });
  const [one, two, other] = [await member(organizationId, { roleSlug: slug }), await member(organizationId), await member(organizationId)];
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: two.id });
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: slug });
  await eventuallyTold(organizationId, `${two.id} ${slug}`);

  await refused(authorization.deleteOrganizationRole(organizationId, slug), ConflictException, { code: 'role_has_assignments' });
  const { status, body: job } = await extension('POST', `/authorization/organizations/${organizationId}/roles/${slug}/deletion`, {
    replacement_role_slug: 'reader',
  });
  assert.deepEqual([status, job.kind, job.role_slug], [202, 'delete_role', slug]);
  assert.deepEqual([await rolesOf(one), await rolesOf(two), await rolesOf(other)], [['reader'], ['reader'], ['member']]);
  assert.deepEqual([await may(one, 'books:read'), await may(two, 'books:read'), await may(two, 'books:write')], [true, true, false]);
  await refused(authorization.getOrganizationRole(organizationId, slug), NotFoundException, { code: 'entity_not_found' });
  assert.ok(!slugs(await authorization.listOrganizationRoles(organizationId)).includes(slug));
  for (const { id } of [one, two]) {
    const { data: [given] } = await authorization.listRoleAssignments({ organizationMembershipId: id });
    assert.equal(given.role.slug, 'reader');
  }
  assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data.map(({ role }) => role.slug), ['reader']);

  await finished(job);
  // Members of a group are told of by a job of their own, which comes after.
  await eventually(async () => {
    const [first, ...rest] = await told(organizationId);
    assert.equal(first, `${two.id} ${slug}`);
    assert.deepEqual(rest.sort(), [`${one.id} reader`, `${two.id} reader`].sort());
  });
  const { data: deleted } = await events.listEvents({ events: ['organization_role.deleted'], organizationId });
  assert.deepEqual(deleted.map(({ data }) => data.slug), [slug]);
});

test('an environment role is deleted with new defaults for those whose default it was', async () => {
  const { id: organizationId } = await organization();
  await authorization.createEnvironmentRole({ slug: 'newcomer', name: 'Newcomer' });
  assert.equal((await policy().setDefault('newcomer')).status, 200);
  const m = await member(organizationId);
  assert.deepEqual(m.role, { slug: 'newcomer' });

  const path = '/authorization/roles/newcomer/deletion';
  const refusal = await extension('POST', path, {});
  assert.deepEqual([refusal.status, refusal.body.code], [409, 'replacement_default_required']);
  assert.deepEqual(await rolesOf(m), ['newcomer']);
  const { status, body: job } = await extension('POST', path, { default_role_slug: 'member' });
  assert.equal(status, 202);
  assert.deepEqual(await rolesOf(m), ['member']);
  assert.deepEqual((await member(organizationId)).role, { slug: 'member' });
  await refused(authorization.getEnvironmentRole('newcomer'), NotFoundException);
  await finished(job);
  await eventuallyTold(organizationId, `${m.id} member`);
  const { data } = await events.listEvents({ events: ['role.deleted'] });
  assert.deepEqual(data.map((one) => one.data.slug), ['newcomer']);
});
