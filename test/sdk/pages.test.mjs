// Every list that has pages is followed over several of them: by the SDK's own
// autoPagination, which asks for 100 at a time, and by hand, in both orders and
// both directions.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { UnprocessableEntityException } from '@workos-inc/node';

import { authorization, extension, member, organization, refused, times, userManagement, workos } from './rolecall.mjs';

const { groups, webhooks } = workos;
const N = 103;
const ids = (list) => list.map(({ id }) => id);
const world = {};

// The world is one organization with N of everything: N projects on each of
// which one membership was given a role, N members of a group that has a role
// on the first project, N groups, and N permissions in a role.
before(async () => {
  assert.equal((await extension('POST', '/authorization/resource_types', { slug: 'project', name: 'Project' })).status, 201);
  const made = await times(N, (i) => authorization.createPermission({ slug: `project:${i}`, name: `${i}`, resourceTypeSlug: 'project' }));
  await authorization.createEnvironmentRole({ slug: 'editor', name: 'Editor', resourceTypeSlug: 'project' });
  await authorization.setEnvironmentRolePermissions('editor', { permissions: made.map(({ slug }) => slug) });

  const { id: organizationId } = await organization();
  const projects = await times(N, (i) =>
    authorization.createResource({ organizationId, resourceTypeSlug: 'project', externalId: `p/${i}`, name: `${i}` }));
  const m = await member(organizationId);
  await times(N, (i) => authorization.assignRole({ organizationMembershipId: m.id, roleSlug: 'editor', resourceId: projects[i].id }));
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'editor', resourceId: projects[0].id });
  const members = await times(N, () => member(organizationId));
  await times(N, (i) => groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: members[i].id }));
  const others = await times(N - 1, (i) => groups.createGroup({ organizationId, name: `${i}` }));
  Object.assign(world, { organizationId, projects, m, groupId, members, others, permissions: made });
});

// byHand follows a list page by page, forwards and then backwards.
async function byHand(list, order, limit = 40) {
  const forwards = [];
  let page = await list({ order, limit });
  assert.equal(page.listMetadata.before, null, 'nothing before the first');
  for (;;) {
    assert.ok(page.data.length > 0 && page.data.length <= limit);
    forwards.push(page.data);
    if (page.listMetadata.after === null) break;
    page = await list({ order, limit, after: page.listMetadata.after });
    assert.notEqual(page.listMetadata.before, null);
  }
  assert.ok(forwards.length > 1, `${forwards.length} pages`);
  const backwards = [page.data];
  while (page.listMetadata.before !== null) {
    page = await list({ order, limit, before: page.listMetadata.before });
    backwards.unshift(page.data);
  }
  assert.deepEqual(ids(backwards.flat()), ids(forwards.flat()));
  return forwards.flat();
}

// every asserts that a list has wanted, each once, however it is followed.
async function every(list, wanted, { auto = true, limit } = {}) {
  const ascending = await byHand(list, 'asc', limit);
  assert.equal(ascending.length, wanted);
  assert.equal(new Set(ids(ascending)).size, wanted, 'each once');
  const descending = await byHand(list, 'desc', limit);
  assert.deepEqual(ids(descending), ids(ascending).reverse());
  if (auto) {
    assert.equal((await list({})).data.length, 10, 'a page of which nobody said how long');
    assert.deepEqual(await (await list({})).autoPagination(), descending, 'newest first unless asked otherwise');
    assert.deepEqual(await (await list({ order: 'asc' })).autoPagination(), ascending);
    const later = await list({ order: 'asc', after: ascending[49].id });
    assert.deepEqual(ids(await later.autoPagination()), ids(ascending).slice(50));
  }
  await refused(list({ limit: 101 }), UnprocessableEntityException, { message: /limit/ });
  await refused(list({ after: 'nonsense' }), UnprocessableEntityException, { message: /after/ });
  return ascending;
}

// same asserts that a list holds these things, in whatever order.
const same = (listed, made) => assert.deepEqual(ids(listed).sort(), ids(made).sort());

describe('pages', { concurrency: true }, () => {
  it('listPermissions', async () => same(await every((o) => authorization.listPermissions(o), N), world.permissions));

  it('listResources', async () => {
    const { organizationId, projects } = world;
    same(await every((o) => authorization.listResources({ organizationId, ...o }), N), projects);
    const parentResourceId = projects[0].parentResourceId;
    same(await every((o) => authorization.listResources({ parentResourceId, ...o }), N), projects);
  });

  it('listRoleAssignments', async () => {
    const organizationMembershipId = world.m.id;
    await every((o) => authorization.listRoleAssignments({ organizationMembershipId, ...o }), N + 1);
    const listed = await every((o) => authorization.listRoleAssignments({ organizationMembershipId, resourceTypeSlug: 'project', ...o }), N);
    same(listed.map(({ resource }) => resource), world.projects);
  });

  it('listRoleAssignmentsForResource and listResourceRoleAssignments', async () => {
    const { organizationId, projects: [{ id: resourceId, externalId }], m, members } = world;
    const listed = await every((o) => authorization.listRoleAssignmentsForResource({ resourceId, ...o }), N + 1);
    assert.deepEqual(listed.map((a) => a.organizationMembershipId).sort(), ids([m, ...members]).sort());
    const named = { organizationId, resourceTypeSlug: 'project', externalId };
    assert.deepEqual(await every((o) => authorization.listResourceRoleAssignments({ ...named, ...o }), N + 1), listed);
  });

  it('listResourcesForMembership', async () => {
    const { projects, m } = world;
    const asked = { organizationMembershipId: m.id, permissionSlug: 'project:0', parentResourceId: projects[0].parentResourceId };
    same(await every((o) => authorization.listResourcesForMembership({ ...asked, ...o }), N), projects);
  });

  it('listMembershipsForResource and listMembershipsForResourceByExternalId', async () => {
    const { organizationId, projects: [{ id: resourceId, externalId }], m, members } = world;
    const permissionSlug = 'project:0';
    const listed = await every((o) => authorization.listMembershipsForResource({ resourceId, permissionSlug, ...o }), N + 1);
    same(listed, [m, ...members]);
    const named = { organizationId, resourceTypeSlug: 'project', externalId, permissionSlug };
    assert.deepEqual(await every((o) => authorization.listMembershipsForResourceByExternalId({ ...named, ...o }), N + 1), listed);
  });

  it('listEffectivePermissions and listEffectivePermissionsByExternalId', async () => {
    const { projects: [{ id: resourceId, externalId }], m: { id: organizationMembershipId }, permissions } = world;
    const listed = await every((o) => authorization.listEffectivePermissions({ organizationMembershipId, resourceId, ...o }), N);
    same(listed, permissions);
    const named = { organizationMembershipId, resourceTypeSlug: 'project', externalId };
    assert.deepEqual(await every((o) => authorization.listEffectivePermissionsByExternalId({ ...named, ...o }), N), listed);
  });

  it('listGroups and the members of a group', async () => {
    const { organizationId, groupId, others, members } = world;
    same(await every((o) => groups.listGroups({ organizationId, ...o }), N), [{ id: groupId }, ...others]);
    same(await every((o) => groups.listOrganizationMemberships({ organizationId, groupId, ...o }), N), members);
  });

  // What can have at most 100, or 50, is on one page of the SDK's choosing.
  it('the groups of a membership', async () => {
    const { organizationId, others, members: [{ id: organizationMembershipId }] } = world;
    await times(20, (i) => groups.addOrganizationMembership({ organizationId, groupId: others[i].id, organizationMembershipId }));
    const list = (o) => userManagement.listGroupsForOrganizationMembership({ organizationMembershipId, ...o });
    const listed = await every(list, 21, { auto: false, limit: 8 });
    assert.deepEqual(await (await list({ order: 'asc' })).autoPagination(), listed);
  });

  it('listGroupRoleAssignments', async () => {
    const { projects, others } = world;
    const groupId = others[50].id;
    const roleAssignments = projects.slice(0, 100).map(({ id: resourceId }) => ({ roleSlug: 'editor', resourceId }));
    const replaced = await authorization.replaceGroupRoleAssignments({ groupId, roleAssignments });
    assert.equal(replaced.data.length, 100);
    await refused(authorization.createGroupRoleAssignment({ groupId, roleSlug: 'editor', resourceId: projects[100].id }),
      UnprocessableEntityException, { code: 'group_role_assignment_limit_exceeded' });
    const list = (o) => authorization.listGroupRoleAssignments({ groupId, ...o });
    const listed = await every(list, 100, { auto: false });
    same(listed, replaced.data);
    assert.deepEqual(await (await list({ order: 'asc' })).autoPagination(), listed);
  });

  it('listWebhookEndpoints', async () => {
    const made = await times(21, (i) => webhooks.createWebhookEndpoint({ endpointUrl: `https://example.com/${i}`, events: ['user.created'] }));
    const list = (o) => webhooks.listWebhookEndpoints(o);
    const listed = await every(list, 21, { auto: false, limit: 8 });
    same(listed, made);
    assert.deepEqual(await (await list({ order: 'asc' })).autoPagination(), listed);
    await times(21, (i) => webhooks.deleteWebhookEndpoint({ id: made[i].id }));
  });
});
