// Every public method of the classes below is called at least once, succeeds,
// and gives an answer in which the SDK found every field it looks for. A method
// that a newer SDK adds fails here until a scenario knows it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { extension, member, organization, workos } from './rolecall.mjs';

// methods lists what an application can call on an object of a class. What the
// typings call private is left out by name.
function methods(of, { but = [] } = {}) {
  const found = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(of)))
    .filter(([name, { value, get }]) => name !== 'constructor' && (typeof value === 'function' || get) && !but.includes(name));
  assert.ok(found.length > 0);
  return found.map(([name]) => name).sort();
}

// unread lists the fields that the SDK wanted from an answer and did not get,
// and the dates that it could not read.
function unread(value, path = 'answer') {
  if (value === undefined || (value instanceof Date && Number.isNaN(value.getTime()))) return [path];
  if (value === null || typeof value !== 'object' || value instanceof Date) return [];
  if (Array.isArray(value)) return value.flatMap((item, i) => unread(item, `${path}[${i}]`));
  return Object.entries(value).flatMap(([name, field]) => unread(field, `${path}.${name}`));
}

// recorded is an object whose methods note that they succeeded.
function recorded(of) {
  const done = new Set();
  const proxy = new Proxy(of, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...given) => {
        const answer = await method.apply(target, given);
        done.add(name);
        if (answer === undefined) return answer;
        const list = answer?.object === 'list';
        const shown = list ? answer.data : answer;
        assert.deepEqual(unread(shown), [], name);
        if (list) {
          assert.ok(answer.data.length > 0, `${name} found nothing`);
          if (answer.autoPagination) assert.deepEqual([answer.listMetadata.before, answer.listMetadata.after], [null, null], name);
        }
        return answer;
      };
    },
  });
  return [proxy, () => [...done].sort()];
}

async function scene() {
  const { id: organizationId } = await organization({ externalId: `acme-${Math.random()}` });
  const m = await member(organizationId);
  return { organizationId, m };
}

test('every method of workos.authorization', async () => {
  const [sdk, done] = recorded(workos.authorization);
  const { organizationId, m: { id: organizationMembershipId } } = await scene();
  const made = await extension('POST', '/authorization/resource_types', { slug: 'project', name: 'Project' });
  assert.equal(made.status, 201);

  await sdk.createPermission({ slug: 'work', name: 'Work', description: 'On it' });
  await sdk.createPermission({ slug: 'project:see', name: 'See', resourceTypeSlug: 'project' });
  await sdk.updatePermission('project:see', { name: 'See it' });
  assert.equal((await sdk.getPermission('project:see')).name, 'See it');
  await sdk.listPermissions();

  await sdk.createEnvironmentRole({ slug: 'worker', name: 'Worker' });
  await sdk.updateEnvironmentRole('worker', { description: 'Works' });
  await sdk.setEnvironmentRolePermissions('worker', { permissions: [] });
  await sdk.addEnvironmentRolePermission('worker', { permissionSlug: 'work' });
  assert.deepEqual((await sdk.getEnvironmentRole('worker')).permissions, ['work']);
  await sdk.createEnvironmentRole({ slug: 'watcher', name: 'Watcher', resourceTypeSlug: 'project' });
  await sdk.setEnvironmentRolePermissions('watcher', { permissions: ['project:see'] });
  await sdk.listEnvironmentRoles();

  await sdk.createOrganizationRole(organizationId, { slug: 'org-own', name: 'Own' });
  await sdk.updateOrganizationRole(organizationId, 'org-own', { name: 'Our own' });
  await sdk.setOrganizationRolePermissions(organizationId, 'org-own', { permissions: ['work'] });
  assert.equal(await sdk.removeOrganizationRolePermission(organizationId, 'org-own', { permissionSlug: 'work' }), undefined);
  await sdk.addOrganizationRolePermission(organizationId, 'org-own', { permissionSlug: 'work' });
  assert.deepEqual((await sdk.getOrganizationRole(organizationId, 'org-own')).permissions, ['work']);
  await sdk.listOrganizationRoles(organizationId);

  const named = { organizationId, resourceTypeSlug: 'project', externalId: 'p' };
  const { id: resourceId } = await sdk.createResource({ ...named, name: 'P' });
  await sdk.updateResource({ resourceId, description: 'The first' });
  await sdk.updateResourceByExternalId({ ...named, name: 'Q' });
  assert.deepEqual(await sdk.getResourceByExternalId(named), await sdk.getResource(resourceId));
  const { parentResourceId } = await sdk.getResource(resourceId);
  await sdk.listResources({ organizationId });

  const watching = { organizationMembershipId, roleSlug: 'watcher', resourceId };
  const assignment = await sdk.assignRole(watching);
  await sdk.listRoleAssignments({ organizationMembershipId });
  await sdk.listRoleAssignmentsForResource({ resourceId });
  await sdk.listResourceRoleAssignments(named);

  const seeing = { organizationMembershipId, permissionSlug: 'project:see' };
  assert.deepEqual(await sdk.check({ ...seeing, resourceId }), { authorized: true });
  await sdk.listResourcesForMembership({ ...seeing, parentResourceId });
  await sdk.listMembershipsForResource({ resourceId, permissionSlug: 'project:see' });
  await sdk.listMembershipsForResourceByExternalId({ ...named, permissionSlug: 'project:see' });
  const effective = await sdk.listEffectivePermissions({ organizationMembershipId, resourceId });
  const { data } = await sdk.listEffectivePermissionsByExternalId({ organizationMembershipId, resourceTypeSlug: 'project', externalId: 'p' });
  assert.deepEqual(data, effective.data);

  assert.equal(await sdk.removeRole(watching), undefined);
  const again = await sdk.assignRole(watching);
  assert.notEqual(again.id, assignment.id);
  assert.equal(await sdk.removeRoleAssignment({ organizationMembershipId, roleAssignmentId: again.id }), undefined);
  assert.deepEqual(await sdk.check({ ...seeing, resourceId }), { authorized: false });

  const { id: groupId } = await workos.groups.createGroup({ organizationId, name: 'G' });
  const given = await sdk.createGroupRoleAssignment({ groupId, roleSlug: 'worker' });
  assert.deepEqual(await sdk.getGroupRoleAssignment({ groupId, roleAssignmentId: given.id }), given);
  await sdk.listGroupRoleAssignments({ groupId });
  await sdk.replaceGroupRoleAssignments({ groupId, roleAssignments: [{ roleSlug: 'worker' }, { roleSlug: 'watcher', resourceId }] });
  assert.equal(await sdk.removeGroupRoleAssignment({ groupId, roleAssignmentId: given.id }), undefined);
  assert.equal(await sdk.removeGroupRoleAssignments({ groupId, roleSlug: 'watcher', resourceId }), undefined);

  assert.equal(await sdk.deleteResourceByExternalId(named), undefined);
  const { id: other } = await sdk.createResource({ ...named, name: 'P' });
  assert.equal(await sdk.deleteResource({ resourceId: other }), undefined);
  assert.equal(await sdk.deleteOrganizationRole(organizationId, 'org-own'), undefined);
  assert.equal(await sdk.deletePermission('work'), undefined);

  assert.deepEqual(done(), methods(workos.authorization));
});

test('every method of workos.groups', async () => {
  const [sdk, done] = recorded(workos.groups);
  const { organizationId, m: { id: organizationMembershipId } } = await scene();
  const { id: groupId } = await sdk.createGroup({ organizationId, name: 'G' });
  const named = { organizationId, groupId };
  await sdk.updateGroup({ ...named, name: 'H' });
  assert.equal((await sdk.getGroup(named)).name, 'H');
  await sdk.listGroups({ organizationId });
  assert.equal((await sdk.addOrganizationMembership({ ...named, organizationMembershipId })).id, groupId);
  await sdk.listOrganizationMemberships(named);
  assert.equal(await sdk.removeOrganizationMembership({ ...named, organizationMembershipId }), undefined);
  assert.equal(await sdk.deleteGroup(named), undefined);
  assert.deepEqual(done(), methods(workos.groups));
});

test('every method of workos.userManagement that is about memberships', async () => {
  const [sdk, done] = recorded(workos.userManagement);
  const { organizationId, m } = await scene();
  const { id: groupId } = await workos.groups.createGroup({ organizationId, name: 'G' });
  await workos.groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: m.id });
  const { data: [group] } = await sdk.listGroupsForOrganizationMembership({ organizationMembershipId: m.id });
  assert.equal(group.id, groupId);
  assert.deepEqual((await sdk.getOrganizationMembership(m.id)).role, { slug: 'member' });
  await sdk.listOrganizationMemberships({ organizationId });
  assert.equal((await sdk.updateOrganizationMembership(m.id, { roleSlug: 'member' })).id, m.id);
  assert.equal((await sdk.deactivateOrganizationMembership(m.id)).status, 'inactive');
  assert.equal((await sdk.reactivateOrganizationMembership(m.id)).status, 'active');
  await sdk.deleteOrganizationMembership(m.id);
  const back = await sdk.createOrganizationMembership({ userId: m.userId, organizationId });
  assert.notEqual(back.id, m.id);
  assert.deepEqual(done(), methods(workos.userManagement).filter((name) => name.includes('OrganizationMembership')));
});

test('every method of workos.webhooks', async () => {
  const [sdk, done] = recorded(workos.webhooks);
  const { id, secret } = await sdk.createWebhookEndpoint({ endpointUrl: 'https://example.com/hook', events: ['group.created'] });
  await sdk.updateWebhookEndpoint({ id, status: 'disabled' });
  await sdk.listWebhookEndpoints();

  const { body } = await extension('GET', '/events?events[]=group.created&limit=1');
  const payload = JSON.stringify(body.data[0]);
  const t = String(Date.now());
  const sigHeader = `t=${t}, v1=${await sdk.computeSignature(t, payload, secret)}`;
  assert.equal(await sdk.verifyHeader({ payload, sigHeader, secret }), true);
  assert.equal((await sdk.getTimestampAndSignatureHash(sigHeader))[0], t);
  assert.equal((await sdk.constructEvent({ payload, sigHeader, secret })).event, 'group.created');
  assert.equal(await sdk.deleteWebhookEndpoint({ id }), undefined);
  // The typings call these two private.
  assert.deepEqual(done(), methods(workos.webhooks, { but: ['signatureProvider', 'parseVerifiedPayload'] }));
});
