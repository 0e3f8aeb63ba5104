// The requests about resources, assignments, groups and webhooks whose answer
// gets lost: the SDK asks again, and nothing is done twice.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { ConflictException, NotFoundException } from '@workos-inc/node';

import { lostOnce, replayed } from './proxy.mjs';
import { authorization, eventually, events, extension, may, member, organization, permissions, refused, userManagement, workos } from './rolecall.mjs';

const { groups, webhooks } = workos;
const ids = (list) => list.data.map(({ id }) => id);

const recorded = async (organizationId, ...names) => (await events.listEvents({ events: names, organizationId, limit: 100 })).data;

before(async () => {
  assert.equal((await extension('POST', '/authorization/resource_types', { slug: 'project', name: 'Project' })).status, 201);
  await permissions('books:read');
  await authorization.createEnvironmentRole({ slug: 'reader', name: 'Reader' });
  await authorization.setEnvironmentRolePermissions('reader', { permissions: ['books:read'] });
  await authorization.createEnvironmentRole({ slug: 'editor', name: 'Editor', resourceTypeSlug: 'project' });
});

async function scene() {
  const { id: organizationId } = await organization();
  const project = await authorization.createResource({ organizationId, resourceTypeSlug: 'project', externalId: 'p', name: 'P' });
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  const m = await member(organizationId);
  return { organizationId, project, groupId, m, organizationMembershipId: m.id };
}

// The SDK waits between its tries, so these run side by side.
describe('an answer gets lost and the SDK tries again', { concurrency: true }, () => {
  it('resource is created once', async () => {
    const { organizationId, project } = await scene();
    const done = await lostOnce((sdk) =>
      sdk.authorization.createResource({ organizationId, resourceTypeSlug: 'project', externalId: 'once', name: 'Once' }));
    replayed(done);
    assert.deepEqual(ids(await authorization.listResources({ organizationId })), [done.result.id, project.id]);
  });

  it('resource that is there stays a conflict', async () => {
    const { organizationId } = await scene();
    await refused(
      lostOnce((sdk) => sdk.authorization.createResource({ organizationId, resourceTypeSlug: 'project', externalId: 'p', name: 'Again' })),
      ConflictException, { code: 'authorization_resource_external_id_conflict' },
    );
  });

  it('role is given to a membership once', async () => {
    const { organizationId, organizationMembershipId, project } = await scene();
    const done = await lostOnce((sdk) => sdk.authorization.assignRole({ organizationMembershipId, roleSlug: 'editor', resourceId: project.id }));
    replayed(done);
    assert.deepEqual((await authorization.listRoleAssignmentsForResource({ resourceId: project.id })).data, [done.result]);

    const atHome = await lostOnce((sdk) => sdk.authorization.assignRole({
      organizationMembershipId, roleSlug: 'reader', resourceExternalId: organizationId, resourceTypeSlug: 'organization',
    }));
    replayed(atHome);
    assert.equal((await recorded(organizationId, 'organization_membership.updated')).length, 1);
  });

  it('role that was taken away since is not given again by a late repetition', async () => {
    const { organizationMembershipId, project } = await scene();
    const given = { organizationMembershipId, roleSlug: 'editor', resourceId: project.id };
    const path = `/authorization/organization_memberships/${organizationMembershipId}/role_assignments`;
    const again = () => workos.post(path, { role_slug: 'editor', resource_id: project.id }, { idempotencyKey: `late ${project.id}` });
    const first = await again();
    await authorization.removeRole(given);
    assert.deepEqual((await again()).data, first.data);
    assert.deepEqual((await authorization.listRoleAssignmentsForResource({ resourceId: project.id })).data, []);
  });

  it('group is created once', async () => {
    const { organizationId, groupId } = await scene();
    const done = await lostOnce((sdk) => sdk.groups.createGroup({ organizationId, name: 'Once' }));
    replayed(done);
    assert.deepEqual(ids(await groups.listGroups({ organizationId })), [done.result.id, groupId]);
    assert.equal((await recorded(organizationId, 'group.created')).length, 2);
  });

  it('membership joins a group once', async () => {
    const { organizationId, groupId, organizationMembershipId } = await scene();
    const { result, first, second } = await lostOnce((sdk) =>
      sdk.groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId }));
    assert.deepEqual([first.status, second.status, second.key, second.body], [200, 200, first.key, first.body]);
    assert.equal(result.id, groupId);
    assert.equal((await recorded(organizationId, 'group.member_added')).length, 1);
  });

  it('role is given to a group once, without a conflict', async () => {
    const { organizationId, groupId, m, organizationMembershipId } = await scene();
    await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId });
    const done = await lostOnce((sdk) => sdk.authorization.createGroupRoleAssignment({ groupId, roleSlug: 'reader' }));
    replayed(done);
    assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data, [done.result]);
    assert.equal(await may(m, 'books:read'), true);
    await eventually(async () => assert.equal((await recorded(organizationId, 'organization_membership.updated')).length, 1));
  });

  it('roles of a group are replaced again without effect', async () => {
    const { groupId, project } = await scene();
    const roleAssignments = [{ roleSlug: 'reader' }, { roleSlug: 'editor', resourceId: project.id }];
    const { result, first, second } = await lostOnce((sdk) => sdk.authorization.replaceGroupRoleAssignments({ groupId, roleAssignments }));
    assert.deepEqual([second.status, second.body], [200, first.body]);
    assert.deepEqual((await authorization.listGroupRoleAssignments({ groupId })).data, result.data);
  });

  it('webhook endpoint is created once, with one secret', async () => {
    const done = await lostOnce((sdk) => sdk.webhooks.createWebhookEndpoint({ endpointUrl: 'https://example.com/once', events: ['role.created'] }));
    replayed(done);
    assert.deepEqual((await webhooks.listWebhookEndpoints()).data, [done.result]);
    await webhooks.deleteWebhookEndpoint({ id: done.result.id });
  });

  it('changes are carried out again without effect', async () => {
    const { organizationId, groupId, project } = await scene();
    const renamed = await lostOnce((sdk) => sdk.authorization.updateResource({ resourceId: project.id, name: 'Q' }));
    assert.deepEqual([renamed.result.name, renamed.second.body], ['Q', renamed.first.body]);
    const group = await lostOnce((sdk) => sdk.groups.updateGroup({ organizationId, groupId, name: 'H' }));
    assert.deepEqual([group.result.name, group.second.body], ['H', group.first.body]);
    assert.equal((await recorded(organizationId, 'group.updated')).length, 1);
  });

  // The second deletion cannot know of the first: the contract has no key there.
  it('deletions are carried out once', async () => {
    const { organizationId, groupId, organizationMembershipId, project } = await scene();
    const given = { organizationMembershipId, roleSlug: 'editor', resourceId: project.id };
    await authorization.assignRole(given);
    const gone = { code: 'entity_not_found' };
    await refused(lostOnce((sdk) => sdk.authorization.removeRole(given)), NotFoundException, gone);
    assert.deepEqual((await authorization.listRoleAssignmentsForResource({ resourceId: project.id })).data, []);
    await refused(lostOnce((sdk) => sdk.authorization.deleteResource({ resourceId: project.id })), NotFoundException, gone);
    await refused(lostOnce((sdk) => sdk.groups.deleteGroup({ organizationId, groupId })), NotFoundException, gone);
    assert.equal((await recorded(organizationId, 'group.deleted')).length, 1);
  });

  it('look-ups are asked again', async () => {
    const { organizationId, m, organizationMembershipId, project } = await scene();
    await authorization.assignRole({ organizationMembershipId, roleSlug: 'reader', resourceExternalId: organizationId, resourceTypeSlug: 'organization' });
    const { result } = await lostOnce((sdk) => sdk.authorization.listMembershipsForResource({ resourceId: project.id, permissionSlug: 'books:read' }));
    assert.deepEqual(ids(result), [m.id]);
    const { result: listed } = await lostOnce((sdk) => sdk.userManagement.listGroupsForOrganizationMembership({ organizationMembershipId }));
    assert.deepEqual(listed.data, []);
    assert.deepEqual((await userManagement.getOrganizationMembership(m.id)).role, { slug: 'reader' });
  });
});
