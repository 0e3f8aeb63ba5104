import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import {
  authorization, events, extension, may, member, organization, permissions, refused, slugs, userManagement, workos,
} from './rolecall.mjs';

const { groups } = workos;
const ids = (list) => list.data.map(({ id }) => id);
const home = (organizationId) => organizationId.replace('org_', 'authz_resource_');
const nobody = '01JZ0000000000000000000000';

before(async () => {
  for (const slug of ['project', 'team']) {
    assert.equal((await extension('POST', '/authorization/resource_types', { slug, name: slug })).status, 201);
  }
  await permissions('books:read');
  await authorization.createPermission({ slug: 'project:edit', name: 'Edit', resourceTypeSlug: 'project' });
  await authorization.createEnvironmentRole({ slug: 'reader', name: 'Reader' });
  await authorization.setEnvironmentRolePermissions('reader', { permissions: ['books:read'] });
  for (const slug of ['editor', 'lead']) {
    await authorization.createEnvironmentRole({ slug, name: slug, resourceTypeSlug: 'project' });
    await authorization.setEnvironmentRolePermissions(slug, { permissions: ['project:edit'] });
  }
});

// scene is an organization with a project, whose external id needs escaping,
// and a member of whom nothing is known but the default role.
async function scene() {
  const { id: organizationId } = await organization();
  const named = { organizationId, resourceTypeSlug: 'project', externalId: 'p/1 %&' };
  const project = await authorization.createResource({ ...named, name: 'P' });
  const m = await member(organizationId);
  return { organizationId, named, project, m };
}

test('a role is given on a resource, by either of its ids, and taken away again', async () => {
  const { organizationId, named, project, m } = await scene();
  const of = { organizationMembershipId: m.id };
  const byId = { ...of, roleSlug: 'editor', resourceId: project.id };
  const byExternalId = { ...of, roleSlug: 'editor', resourceExternalId: named.externalId, resourceTypeSlug: 'project' };
  const given = await authorization.assignRole(byId);
  assert.match(given.id, /^role_assignment_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(given, {
    object: 'role_assignment',
    id: given.id,
    organizationMembershipId: m.id,
    role: { slug: 'editor' },
    resource: { id: project.id, externalId: named.externalId, resourceTypeSlug: 'project' },
    source: { type: 'direct', groupRoleAssignmentId: null },
    createdAt: given.createdAt,
    updatedAt: given.createdAt,
  });
  assert.deepEqual(await authorization.assignRole(byExternalId), given, 'again');
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), true);
  assert.deepEqual(await userManagement.getOrganizationMembership(m.id), m, 'R218: not a role of the membership');

  const lead = await authorization.assignRole({ ...byExternalId, roleSlug: 'lead' });
  assert.equal(lead.resource.id, project.id);
  assert.deepEqual(slugsOf(await authorization.listRoleAssignments(of)), ['lead', 'editor', 'member']);

  assert.equal(await authorization.removeRole(byId), undefined);
  await refused(authorization.removeRole(byId), NotFoundException, { code: 'entity_not_found' });
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), true);
  await authorization.removeRole({ ...byExternalId, roleSlug: 'lead' });
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), false);

  const again = await authorization.assignRole(byId);
  const removal = { ...of, roleAssignmentId: again.id };
  const other = await member(organizationId);
  await refused(authorization.removeRoleAssignment({ ...removal, organizationMembershipId: other.id }), NotFoundException);
  await authorization.removeRoleAssignment(removal);
  await refused(authorization.removeRoleAssignment(removal), NotFoundException, { code: 'entity_not_found', message: new RegExp(again.id) });
  assert.equal(await may(m, 'project:edit', { resourceId: project.id }), false);
});

const slugsOf = (list) => list.data.map(({ role }) => role.slug);

test('a role on the organization is the role of the membership', async () => {
  const { organizationId, m } = await scene();
  const of = { organizationMembershipId: m.id };
  const onIt = { resourceExternalId: organizationId, resourceTypeSlug: 'organization' };
  const given = await authorization.assignRole({ ...of, roleSlug: 'reader', ...onIt });
  assert.deepEqual(given.resource, { id: home(organizationId), externalId: organizationId, resourceTypeSlug: 'organization' });
  assert.deepEqual((await userManagement.getOrganizationMembership(m.id)).roles, [{ slug: 'reader' }], 'one role, in place of the default');
  assert.deepEqual(ids(await authorization.listRoleAssignments(of)), [given.id]);
  assert.equal(await may(m, 'books:read'), true);
  assert.deepEqual(await authorization.assignRole({ ...of, roleSlug: 'reader', resourceId: home(organizationId) }), given);

  const changed = await userManagement.updateOrganizationMembership(m.id, { roleSlug: 'member' });
  assert.deepEqual(changed.role, { slug: 'member' });
  assert.deepEqual(slugsOf(await authorization.listRoleAssignments(of)), ['member']);

  await authorization.assignRole({ ...of, roleSlug: 'reader', ...onIt });
  await authorization.removeRole({ ...of, roleSlug: 'reader', ...onIt });
  assert.deepEqual((await userManagement.getOrganizationMembership(m.id)).role, { slug: 'member' }, 'the default');
  const { data } = await events.listEvents({ events: ['organization_membership.updated'], organizationId });
  assert.deepEqual(data.map((told) => told.data.role.slug), ['reader', 'member', 'reader', 'member']);
});

test('what cannot be given is refused in words', async () => {
  const { organizationId, named, project, m } = await scene();
  const team = await authorization.createResource({ ...named, resourceTypeSlug: 'team', name: 'T' });
  await authorization.createOrganizationRole((await organization()).id, { slug: 'org-theirs', name: 'Theirs' });
  const elsewhere = await scene();
  const give = (roleSlug, target, organizationMembershipId = m.id) => authorization.assignRole({ organizationMembershipId, roleSlug, ...target });
  const onProject = { resourceId: project.id };

  for (const roleSlug of ['nobody', 'org-theirs']) {
    await refused(give(roleSlug, onProject), UnprocessableEntityException, { status: 422, code: 'invalid_role', message: new RegExp(roleSlug) });
  }
  await refused(give('editor', { resourceId: team.id }), UnprocessableEntityException, {
    code: 'role_resource_type_mismatch', message: /'editor' is made for 'project'/,
  });
  await refused(give('reader', onProject), UnprocessableEntityException, { code: 'role_resource_type_mismatch' });
  await refused(give('editor', { resourceId: home(organizationId) }), UnprocessableEntityException, { code: 'sub_resource_scoped_role_not_allowed' });
  await refused(give(undefined, onProject), UnprocessableEntityException, { message: /role_slug/ });
  await refused(give('editor', { ...onProject, resourceExternalId: 'p', resourceTypeSlug: 'project' }), UnprocessableEntityException, { message: /resource_id/ });
  await refused(give('editor', { resourceExternalId: 'p' }), UnprocessableEntityException, { message: /resource_type_slug/ });

  for (const target of [
    { resourceId: `authz_resource_${nobody}` },
    { resourceId: 'nonsense' },
    { resourceId: elsewhere.project.id },
    { resourceExternalId: 'nothing', resourceTypeSlug: 'project' },
    { resourceExternalId: named.externalId, resourceTypeSlug: 'galaxy' },
  ]) {
    await refused(give('editor', target), NotFoundException, { status: 404, code: 'entity_not_found' });
  }
  await refused(give('editor', onProject, `om_${nobody}`), NotFoundException, { message: /membership/ });
  assert.deepEqual(slugsOf(await authorization.listRoleAssignments({ organizationMembershipId: m.id })), ['member']);
});

test('assignments of a membership are narrowed by resource, by type and by external id', async () => {
  const { organizationId, named, project, m } = await scene();
  const second = await authorization.createResource({ ...named, externalId: 'p2', name: 'P2' });
  const of = { organizationMembershipId: m.id };
  const one = await authorization.assignRole({ ...of, roleSlug: 'editor', resourceId: project.id });
  const two = await authorization.assignRole({ ...of, roleSlug: 'lead', resourceId: project.id });
  const three = await authorization.assignRole({ ...of, roleSlug: 'lead', resourceId: second.id });
  const group = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId: group.id, organizationMembershipId: m.id });
  const gra = await authorization.createGroupRoleAssignment({ groupId: group.id, roleSlug: 'editor', resourceId: second.id });
  const list = (options) => authorization.listRoleAssignments({ ...of, order: 'asc', ...options });

  const all = await list();
  const [own, , , , through] = all.data;
  assert.deepEqual(all.data.slice(1, 4), [one, two, three]);
  assert.deepEqual(own.role, { slug: 'member' });
  assert.deepEqual([through.role.slug, through.source], ['editor', { type: 'group', groupRoleAssignmentId: gra.id }]);
  assert.equal(all.data.length, 5);

  assert.deepEqual((await list({ resourceId: project.id })).data, [one, two]);
  assert.deepEqual((await list({ resourceExternalId: 'p2', resourceTypeSlug: 'project' })).data, [three, through]);
  assert.deepEqual((await list({ resourceId: home(organizationId) })).data, [own]);
  // The typings: "can be used on its own or combined".
  assert.deepEqual((await list({ resourceTypeSlug: 'project' })).data, [one, two, three, through]);
  assert.deepEqual((await list({ resourceTypeSlug: 'organization' })).data, [own]);
  assert.deepEqual((await list({ resourceTypeSlug: 'team' })).data, []);
  assert.deepEqual((await list({ resourceExternalId: 'p2' })).data, [three, through]);
  assert.deepEqual((await list({ resourceExternalId: organizationId })).data, [own]);
  const first = await list({ resourceTypeSlug: 'project', limit: 3 });
  const rest = await list({ resourceTypeSlug: 'project', limit: 3, after: first.listMetadata.after });
  assert.deepEqual([first.data, rest.data, rest.listMetadata.after], [[one, two, three], [through], null]);
  await refused(list({ resourceId: `authz_resource_${nobody}` }), NotFoundException);
});

test("everybody's assignments on a resource are listed by either of its ids, those through groups included", async () => {
  const { organizationId, named, project, m } = await scene();
  const other = await member(organizationId);
  const direct = await authorization.assignRole({ organizationMembershipId: other.id, roleSlug: 'lead', resourceId: project.id });
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  for (const { id } of [m, other]) await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: id });
  const gra = await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'editor', resourceId: project.id });

  const list = (options) => authorization.listRoleAssignmentsForResource({ resourceId: project.id, order: 'asc', ...options });
  const { data } = await list();
  assert.deepEqual(data[0], direct);
  assert.deepEqual(data.slice(1).map((a) => a.organizationMembershipId).sort(), [m.id, other.id].sort());
  for (const a of data.slice(1)) assert.deepEqual(a.source, { type: 'group', groupRoleAssignmentId: gra.id });
  assert.deepEqual((await authorization.listResourceRoleAssignments({ ...named, order: 'asc' })).data, data);
  assert.deepEqual((await list({ roleSlug: 'lead' })).data, [direct]);
  assert.deepEqual((await authorization.listResourceRoleAssignments({ ...named, roleSlug: 'lead' })).data, [direct]);
  assert.deepEqual((await list({ roleSlug: 'nobody' })).data, []);
  assert.equal((await authorization.listRoleAssignmentsForResource({ resourceId: home(organizationId) })).data.length, 2);

  const through = data.find((a) => a.organizationMembershipId === m.id);
  await refused(authorization.removeRoleAssignment({ organizationMembershipId: m.id, roleAssignmentId: through.id }),
    UnprocessableEntityException, { code: 'role_assigned_by_group', message: new RegExp(groupId) });
  await refused(authorization.removeRole({ organizationMembershipId: m.id, roleSlug: 'editor', resourceId: project.id }),
    UnprocessableEntityException, { code: 'role_assigned_by_group' });

  await refused(authorization.listRoleAssignmentsForResource({ resourceId: `authz_resource_${nobody}` }), NotFoundException);
  await refused(authorization.listResourceRoleAssignments({ ...named, externalId: 'nothing' }), NotFoundException);
  await refused(authorization.listRoleAssignments({ organizationMembershipId: `om_${nobody}` }), NotFoundException);
});

test('assignments stand in the way of a deletion, and go with a cascade and with their membership', async () => {
  const { named, project, m } = await scene();
  const of = { organizationMembershipId: m.id };
  await authorization.assignRole({ ...of, roleSlug: 'editor', resourceId: project.id });
  await assert.rejects(authorization.deleteResourceByExternalId(named), { code: 'resource_has_dependents', status: 409 });
  await authorization.deleteResourceByExternalId({ ...named, cascadeDelete: true });
  assert.deepEqual(slugsOf(await authorization.listRoleAssignments(of)), ['member']);

  const next = await authorization.createResource({ ...named, name: 'P' });
  assert.deepEqual((await authorization.listRoleAssignmentsForResource({ resourceId: next.id })).data, []);
  await authorization.assignRole({ ...of, roleSlug: 'editor', resourceId: next.id });
  await userManagement.deactivateOrganizationMembership(m.id);
  assert.equal(await may(m, 'project:edit', { resourceId: next.id }), false);
  await userManagement.reactivateOrganizationMembership(m.id);
  assert.equal(await may(m, 'project:edit', { resourceId: next.id }), true);
  await userManagement.deleteOrganizationMembership(m.id);
  assert.deepEqual((await authorization.listRoleAssignmentsForResource({ resourceId: next.id })).data, []);
  await authorization.deleteResource({ resourceId: next.id });
});

test('a custom role is given, and cannot be deleted while somebody holds it', async () => {
  const { organizationId, m } = await scene();
  const { slug } = await authorization.createOrganizationRole(organizationId, { name: 'Support' });
  const target = { organizationMembershipId: m.id, roleSlug: slug, resourceId: home(organizationId) };
  await authorization.assignRole(target);
  await assert.rejects(authorization.deleteOrganizationRole(organizationId, slug), { code: 'role_has_assignments', status: 409 });
  await authorization.removeRole(target);
  await authorization.deleteOrganizationRole(organizationId, slug);
  assert.ok(!slugs(await authorization.listOrganizationRoles(organizationId)).includes(slug));
  await refused(authorization.assignRole(target), UnprocessableEntityException, { code: 'invalid_role' });
});
