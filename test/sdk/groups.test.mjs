import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { ConflictException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import {
  authorization, events, eventually, extension, may, member, organization, organizations, permissions, policy, refused, userManagement, workos,
} from './rolecall.mjs';

const { groups } = workos;
const ids = (list) => list.data.map(({ id }) => id);
const home = (organizationId) => organizationId.replace('org_', 'authz_resource_');
const nobody = '01JZ0000000000000000000000';

before(async () => {
  assert.equal((await extension('POST', '/authorization/resource_types', { slug: 'project', name: 'Project' })).status, 201);
  await permissions('books:read', 'books:write');
  await authorization.createPermission({ slug: 'project:edit', name: 'Edit', resourceTypeSlug: 'project' });
  for (const [slug, permission] of [['writer', 'books:write'], ['reader', 'books:read']]) {
    await authorization.createEnvironmentRole({ slug, name: slug });
    await authorization.setEnvironmentRolePermissions(slug, { permissions: [permission] });
  }
  await authorization.createEnvironmentRole({ slug: 'editor', name: 'Editor', resourceTypeSlug: 'project' });
  await authorization.setEnvironmentRolePermissions('editor', { permissions: ['project:edit'] });
  assert.equal((await policy().setPriority(['writer', 'reader', 'member', 'editor'])).status, 200);
});

// scene is an organization with a project, a group and a member outside of it.
async function scene() {
  const { id: organizationId } = await organization();
  const project = await authorization.createResource({ organizationId, resourceTypeSlug: 'project', externalId: 'p/1', name: 'P' });
  const group = await groups.createGroup({ organizationId, name: 'G' });
  const m = await member(organizationId);
  const inGroup = { organizationId, groupId: group.id, organizationMembershipId: m.id };
  return { organizationId, project, group, groupId: group.id, m, inGroup };
}

const rolesOf = async ({ id }) => (await userManagement.getOrganizationMembership(id)).roles.map(({ slug }) => slug);

// told lists the events of an organization with these names, oldest first.
const told = async (organizationId, ...names) => (await events.listEvents({ events: names, organizationId, limit: 100 })).data;

// changes waits until so many changes of memberships were told, as the roles
// that they name.
function changes(organizationId, ...wanted) {
  return eventually(async () => {
    const all = await told(organizationId, 'organization_membership.updated');
    assert.deepEqual(all.map(({ data }) => data.roles.map(({ slug }) => slug).join(' ')), wanted);
    return all;
  });
}

test('a group is created, read, changed and deleted', async () => {
  const { id: organizationId } = await organization();
  const made = await groups.createGroup({ organizationId, name: 'Übersee <&> 😀', description: 'Ships' });
  assert.match(made.id, /^group_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(made.createdAt instanceof Date && Math.abs(Date.now() - made.createdAt) < 60_000);
  assert.deepEqual(made, {
    object: 'group', id: made.id, organizationId, name: 'Übersee <&> 😀', description: 'Ships', createdAt: made.createdAt, updatedAt: made.createdAt,
  });
  const named = { organizationId, groupId: made.id };
  assert.deepEqual(await groups.getGroup(named), made);
  const second = await groups.createGroup({ organizationId, name: 'Second' });
  assert.equal(second.description, null);
  assert.deepEqual((await groups.listGroups({ organizationId })).data, [second, made]);
  assert.deepEqual((await groups.listGroups({ organizationId, order: 'asc' })).data, [made, second]);

  const changed = await groups.updateGroup({ ...named, name: 'Oversea', description: 'More ships' });
  assert.deepEqual(changed, { ...made, name: 'Oversea', description: 'More ships', updatedAt: changed.updatedAt });
  // This SDK sends null for a description that it was not given.
  assert.equal((await groups.updateGroup({ ...named, name: 'Oversea' })).description, null);
  assert.equal((await groups.updateGroup({ ...named, description: 'Back' })).name, 'Oversea');

  assert.equal(await groups.deleteGroup(named), undefined);
  for (const call of ['getGroup', 'updateGroup', 'deleteGroup', 'listOrganizationMemberships']) {
    await refused(groups[call]({ ...named, name: 'X' }), NotFoundException, { code: 'entity_not_found', message: new RegExp(made.id) });
  }
  assert.deepEqual(ids(await groups.listGroups({ organizationId })), [second.id]);

  const all = await told(organizationId, 'group.created', 'group.updated', 'group.deleted');
  assert.deepEqual(all.map(({ event, data }) => [event, data.name, data.description]), [
    ['group.created', 'Übersee <&> 😀', 'Ships'], ['group.created', 'Second', null], ['group.updated', 'Oversea', 'More ships'],
    ['group.updated', 'Oversea', null], ['group.updated', 'Oversea', 'Back'], ['group.deleted', 'Oversea', 'Back'],
  ]);
  assert.deepEqual(all[0].data, made);
});

test('a group belongs to one organization', async () => {
  const { organizationId, groupId } = await scene();
  const other = await scene();
  for (const wrong of [other.organizationId, `org_${nobody}`, 'nonsense']) {
    const named = { organizationId: wrong, groupId };
    for (const call of ['getGroup', 'updateGroup', 'deleteGroup', 'listOrganizationMemberships']) {
      await refused(groups[call]({ ...named, name: 'X' }), NotFoundException, { code: 'entity_not_found' });
    }
  }
  await refused(groups.listGroups({ organizationId: `org_${nobody}` }), NotFoundException);
  await refused(groups.createGroup({ organizationId: `org_${nobody}`, name: 'G' }), NotFoundException);
  await refused(groups.addOrganizationMembership({ ...other.inGroup, organizationId, groupId }), NotFoundException, { message: /membership/ });
  await refused(groups.createGroup({ organizationId, name: '' }), UnprocessableEntityException, { message: /name must not be empty/ });
  await refused(groups.createGroup({ organizationId }), UnprocessableEntityException, { message: /name/ });
  await refused(groups.createGroup({ organizationId, name: 'x'.repeat(257) }), UnprocessableEntityException, { message: /256/ });
  await refused(groups.createGroup({ organizationId, name: 'G', description: 'x'.repeat(151) }), UnprocessableEntityException, { message: /150/ });
  assert.deepEqual(ids(await groups.listGroups({ organizationId })), [groupId]);
});

test('memberships join a group and leave it, and both sides list it', async () => {
  const { organizationId, group, groupId, m, inGroup } = await scene();
  const named = { organizationId, groupId };
  assert.deepEqual(await groups.addOrganizationMembership(inGroup), group);
  assert.deepEqual(await groups.addOrganizationMembership(inGroup), group, 'R131: nothing happens');
  const second = await groups.createGroup({ organizationId, name: 'H' });
  await groups.addOrganizationMembership({ ...inGroup, groupId: second.id });
  const mine = (options) => userManagement.listGroupsForOrganizationMembership({ organizationMembershipId: m.id, ...options });
  assert.deepEqual((await mine()).data, [second, group]);
  assert.deepEqual((await mine({ order: 'asc', limit: 1 })).data, [group]);

  const { role, roles, organizationName, ...base } = await userManagement.getOrganizationMembership(m.id);
  assert.deepEqual((await groups.listOrganizationMemberships(named)).data, [base], 'without roles');
  await userManagement.deactivateOrganizationMembership(m.id);
  assert.deepEqual((await groups.listOrganizationMemberships(named)).data.map(({ status }) => status), ['inactive']);

  assert.equal(await groups.removeOrganizationMembership(inGroup), undefined);
  await refused(groups.removeOrganizationMembership(inGroup), NotFoundException, { code: 'entity_not_found' });
  assert.deepEqual(ids(await mine()), [second.id]);
  assert.deepEqual(await told(organizationId, 'group.member_added', 'group.member_removed').then((all) => all.map(({ event, data }) => [event, data])), [
    ['group.member_added', { groupId, organizationMembershipId: m.id }],
    ['group.member_added', { groupId: second.id, organizationMembershipId: m.id }],
    ['group.member_removed', { groupId, organizationMembershipId: m.id }],
  ]);

  await userManagement.deleteOrganizationMembership(m.id);
  assert.deepEqual(ids(await groups.listOrganizationMemberships({ organizationId, groupId: second.id })), []);
  await refused(mine(), NotFoundException, { code: 'entity_not_found' });
  await refused(groups.addOrganizationMembership(inGroup), NotFoundException);
  await refused(groups.addOrganizationMembership({ ...inGroup, organizationMembershipId: undefined }), UnprocessableEntityException, {
    message: /organization_membership_id/,
  });
});

test("a group's role on the organization is its members' role: at once for checks, then in memberships and events", async () => {
  const { organizationId, groupId, m, inGroup } = await scene();
  await groups.addOrganizationMembership(inGroup);
  const given = await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'writer' });
  assert.match(given.id, /^gra_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(given, {
    object: 'group_role_assignment',
    id: given.id,
    groupId,
    role: { slug: 'writer' },
    resource: { id: home(organizationId), externalId: organizationId, resourceTypeSlug: 'organization' },
    createdAt: given.createdAt,
    updatedAt: given.createdAt,
  });
  assert.equal(await may(m, 'books:write'), true);
  assert.deepEqual(await rolesOf(m), ['writer']);
  const [changed] = await changes(organizationId, 'writer');
  assert.equal(changed.data.id, m.id);

  // R139: beside a direct one, and that stays when the group's goes.
  await authorization.assignRole({ organizationMembershipId: m.id, roleSlug: 'reader', resourceId: home(organizationId) });
  assert.deepEqual(await rolesOf(m), ['writer'], 'R137: the highest of all sources');
  const listed = await authorization.listRoleAssignments({ organizationMembershipId: m.id });
  assert.deepEqual(listed.data.map(({ role, source }) => [role.slug, source.type, source.groupRoleAssignmentId]).sort(),
    [['reader', 'direct', null], ['writer', 'group', given.id]]);
  await authorization.removeGroupRoleAssignment({ groupId, roleAssignmentId: given.id });
  assert.equal(await may(m, 'books:write'), false);
  assert.deepEqual(await rolesOf(m), ['reader']);
  await changes(organizationId, 'writer', 'reader');

  // Who joins and leaves is told of before the answer (R135).
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'writer', resourceId: home(organizationId) });
  await changes(organizationId, 'writer', 'reader', 'writer');
  const next = await member(organizationId);
  await groups.addOrganizationMembership({ ...inGroup, organizationMembershipId: next.id });
  assert.deepEqual(await rolesOf(next), ['writer']);
  await groups.removeOrganizationMembership({ ...inGroup, organizationMembershipId: next.id });
  assert.deepEqual(await rolesOf(next), ['member']);
  const heard = await told(organizationId, 'organization_membership.updated');
  assert.deepEqual(heard.slice(3).map(({ data }) => [data.id, data.role.slug]), [[next.id, 'writer'], [next.id, 'member']]);

  await groups.deleteGroup({ organizationId, groupId });
  assert.equal(await may(m, 'books:write'), false);
  await changes(organizationId, 'writer', 'reader', 'writer', 'writer', 'member', 'reader');
  await refused(authorization.listGroupRoleAssignments({ groupId }), NotFoundException, { code: 'entity_not_found' });
});

test('a group is given roles on resources, by either of their ids', async () => {
  const { project, groupId, m, inGroup } = await scene();
  const byId = { groupId, roleSlug: 'editor', resourceId: project.id };
  const byExternalId = { groupId, roleSlug: 'editor', resourceExternalId: 'p/1', resourceTypeSlug: 'project' };
  const edits = () => may(m, 'project:edit', { resourceId: project.id });
  await groups.addOrganizationMembership(inGroup);
  const given = await authorization.createGroupRoleAssignment(byExternalId);
  assert.deepEqual(given.resource, { id: project.id, externalId: 'p/1', resourceTypeSlug: 'project' });
  assert.equal(await edits(), true);
  assert.deepEqual(await rolesOf(m), ['member']);
  for (const again of [byId, byExternalId]) {
    await refused(authorization.createGroupRoleAssignment(again), ConflictException, { status: 409, code: 'duplicate_group_role_assignment' });
  }
  const one = { groupId, roleAssignmentId: given.id };
  assert.deepEqual(await authorization.getGroupRoleAssignment(one), given);
  assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data, [given]);

  assert.equal(await authorization.removeGroupRoleAssignments(byId), undefined);
  assert.equal(await edits(), false);
  await refused(authorization.removeGroupRoleAssignments(byId), NotFoundException, { code: 'entity_not_found' });
  await refused(authorization.getGroupRoleAssignment(one), NotFoundException, { code: 'entity_not_found', message: new RegExp(given.id) });
  await refused(authorization.removeGroupRoleAssignment(one), NotFoundException);
  await authorization.createGroupRoleAssignment(byId);
  await authorization.removeGroupRoleAssignments(byExternalId);

  await authorization.createGroupRoleAssignment(byId);
  await groups.removeOrganizationMembership(inGroup);
  assert.equal(await edits(), false);
});

test('the roles of a group are replaced as a whole', async () => {
  const { project, groupId, m, inGroup } = await scene();
  const replace = (...roleAssignments) => authorization.replaceGroupRoleAssignments({ groupId, roleAssignments });
  const named = (list) => list.data.map(({ role, resource }) => `${role.slug} ${resource.externalId}`).sort();
  await groups.addOrganizationMembership(inGroup);
  const reader = await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'reader' });
  const now = await replace({ roleSlug: 'reader' }, { roleSlug: 'editor', resourceId: project.id },
    { roleSlug: 'editor', resourceExternalId: 'p/1', resourceTypeSlug: 'project' });
  assert.equal(now.object, 'list');
  assert.deepEqual(named(now), ['editor p/1', `reader ${reader.resource.externalId}`], 'R141: twice is once');
  assert.deepEqual(now.data.find(({ id }) => id === reader.id), reader, 'what was there stays');
  assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data, now.data);
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), true);

  await refused(replace({ roleSlug: 'writer' }, { roleSlug: 'nobody' }), UnprocessableEntityException, { code: 'invalid_role', message: /nobody/ });
  await refused(replace({ roleSlug: 'reader', resourceId: project.id }), UnprocessableEntityException, { code: 'role_resource_type_mismatch' });
  await refused(replace({ roleSlug: 'editor' }), UnprocessableEntityException, { code: 'sub_resource_scoped_role_not_allowed' });
  await refused(replace({ roleSlug: 'editor', resourceId: `authz_resource_${nobody}` }), NotFoundException);
  await refused(replace({ roleSlug: 'writer' }, {}), UnprocessableEntityException, { message: /role_assignments\[1\]\.role_slug is required/ });
  await refused(replace({ roleSlug: 'editor', resourceExternalId: 'p/1' }), UnprocessableEntityException, { message: /role_assignments\[0\]\.resource_external_id/ });
  await refused(replace(...Array.from({ length: 101 }, () => ({ roleSlug: 'reader' }))), UnprocessableEntityException, { message: /at most 100/ });
  assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data, now.data, 'all or nothing');

  assert.deepEqual((await replace()).data, []);
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), false);
  await refused(authorization.replaceGroupRoleAssignments({ groupId: `group_${nobody}`, roleAssignments: [] }), NotFoundException);
});

test('what a group cannot be given is refused in words', async () => {
  const { organizationId, project, groupId } = await scene();
  const other = await scene();
  await authorization.createOrganizationRole(other.organizationId, { slug: 'org-theirs', name: 'Theirs' });
  const give = (roleSlug, target, id = groupId) => authorization.createGroupRoleAssignment({ groupId: id, roleSlug, ...target });
  await refused(give('nobody'), UnprocessableEntityException, { code: 'invalid_role', message: /nobody/ });
  await refused(give('org-theirs'), UnprocessableEntityException, { code: 'invalid_role' });
  await refused(give('editor'), UnprocessableEntityException, { code: 'sub_resource_scoped_role_not_allowed' });
  await refused(give('reader', { resourceId: project.id }), UnprocessableEntityException, { code: 'role_resource_type_mismatch' });
  await refused(give(undefined), UnprocessableEntityException, { message: /role_slug/ });
  await refused(give('editor', { resourceId: other.project.id }), NotFoundException, { code: 'entity_not_found' });
  await refused(give('editor', { resourceExternalId: 'nothing', resourceTypeSlug: 'project' }), NotFoundException);
  await refused(give('reader', {}, `group_${nobody}`), NotFoundException, { message: /Group/ });
  const given = await give('reader');
  for (const call of ['getGroupRoleAssignment', 'removeGroupRoleAssignment']) {
    await refused(authorization[call]({ groupId: other.groupId, roleAssignmentId: given.id }), NotFoundException, { code: 'entity_not_found' });
    await refused(authorization[call]({ groupId, roleAssignmentId: `gra_${nobody}` }), NotFoundException);
  }
  await organizations.deleteOrganization(organizationId);
  await refused(authorization.getGroupRoleAssignment({ groupId, roleAssignmentId: given.id }), NotFoundException);
});
