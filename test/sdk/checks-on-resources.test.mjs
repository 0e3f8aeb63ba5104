import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { GenericServerException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, extension, may, member, organization, permissions, refused, slugs, user, userManagement, workos } from './rolecall.mjs';

const { groups } = workos;
const ids = (list) => list.data.map(({ id }) => id).sort();
const home = (organizationId) => organizationId.replace('org_', 'authz_resource_');
const nobody = '01JZ0000000000000000000000';

// Roles: an owner of a workspace may all on projects below, an editor of a
// project edits it and sees it, an auditor sees all projects of the
// organization, and everybody's "member" may nothing.
before(async () => {
  for (const [slug, parent] of [['workspace', 'organization'], ['project', 'workspace']]) {
    const made = await extension('POST', '/authorization/resource_types', { slug, name: slug, parent_resource_type_slugs: [parent] });
    assert.equal(made.status, 201);
  }
  await permissions('bills:pay');
  for (const [slug, resourceTypeSlug] of [['workspace:rename', 'workspace'], ['project:see', 'project'], ['project:edit', 'project']]) {
    await authorization.createPermission({ slug, name: slug, resourceTypeSlug });
  }
  for (const [slug, resourceTypeSlug, held] of [
    ['owner', 'workspace', ['workspace:rename', 'project:see', 'project:edit']],
    ['editor', 'project', ['project:see', 'project:edit']],
    ['auditor', 'organization', ['bills:pay', 'project:see']],
  ]) {
    await authorization.createEnvironmentRole({ slug, name: slug, resourceTypeSlug });
    await authorization.setEnvironmentRolePermissions(slug, { permissions: held });
  }
});

// scene is an organization with two workspaces of two projects each.
async function scene() {
  const { id: organizationId } = await organization();
  const at = {};
  for (const w of ['w1', 'w2']) {
    at[w] = await authorization.createResource({ organizationId, resourceTypeSlug: 'workspace', externalId: w, name: w });
    for (const p of ['a', 'b']) {
      at[w + p] = await authorization.createResource({
        organizationId, resourceTypeSlug: 'project', externalId: `${w}/${p}`, name: p, parentResourceId: at[w].id,
      });
    }
  }
  const give = (m, roleSlug, resource) => authorization.assignRole({ organizationMembershipId: m.id, roleSlug, resourceId: resource.id });
  return { organizationId, at, give };
}

// both asks a check by either identification, and requires the same answer.
async function both(m, permissionSlug, resource) {
  const byId = await may(m, permissionSlug, { resourceId: resource.id });
  const byExternalId = await may(m, permissionSlug, { resourceExternalId: resource.externalId, resourceTypeSlug: resource.resourceTypeSlug });
  assert.equal(byExternalId, byId);
  return byId;
}

test('a role counts on its resource and on all below, and nowhere else', async () => {
  const { organizationId, at, give } = await scene();
  const [owner, editor, auditor, none] = [await member(organizationId), await member(organizationId),
    await member(organizationId, { roleSlug: 'auditor' }), await member(organizationId)];
  await give(owner, 'owner', at.w1);
  await give(editor, 'editor', at.w1a);
  const allowed = async (m, permissionSlug) => {
    const on = [];
    for (const [name, resource] of Object.entries(at)) if (await both(m, permissionSlug, resource)) on.push(name);
    return on.join(' ');
  };
  assert.equal(await allowed(owner, 'project:edit'), 'w1 w1a w1b', 'a permission counts wherever the role reaches');
  assert.equal(await allowed(editor, 'project:edit'), 'w1a');
  assert.equal(await allowed(editor, 'project:see'), 'w1a');
  assert.equal(await allowed(auditor, 'project:see'), 'w1 w1a w1b w2 w2a w2b', 'R210');
  assert.equal(await allowed(auditor, 'project:edit'), '');
  assert.equal(await allowed(none, 'project:see'), '');
  assert.equal(await may(owner, 'project:edit'), false, 'not on the organization above');
  assert.equal(await may(auditor, 'bills:pay', { resourceId: home(organizationId) }), true);

  // Through a group, and on the organization through a group.
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: none.id });
  const gra = await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'owner', resourceId: at.w2.id });
  assert.equal(await allowed(none, 'project:edit'), 'w2 w2a w2b');
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'auditor' });
  assert.equal(await allowed(none, 'project:see'), 'w1 w1a w1b w2 w2a w2b');
  await authorization.removeGroupRoleAssignment({ groupId, roleAssignmentId: gra.id });
  assert.equal(await allowed(none, 'project:edit'), '');

  // A resource that moves is under another's power at once (R205).
  const moved = await extension('PATCH', `/authorization/resources/${at.w1b.id}`, { parent_resource_id: at.w2.id });
  assert.equal(moved.status, 200);
  assert.equal(await allowed(owner, 'project:edit'), 'w1 w1a');
});

test('a check of what is not there is a NotFoundException, not a no', async () => {
  const { organizationId, at } = await scene();
  const other = await scene();
  const m = await member(organizationId);
  for (const target of [
    { resourceId: `authz_resource_${nobody}` }, { resourceId: 'nonsense' }, { resourceId: other.at.w1.id },
    { resourceExternalId: 'w3', resourceTypeSlug: 'workspace' }, { resourceExternalId: 'w1', resourceTypeSlug: 'project' },
    { resourceExternalId: 'w1', resourceTypeSlug: 'galaxy' },
  ]) {
    await refused(may(m, 'project:see', target), NotFoundException, { code: 'entity_not_found' });
  }
  await refused(may(m, 'project:gone', { resourceId: at.w1.id }), NotFoundException, { message: /project:gone/ });
  await refused(may(m, 'project:see', { resourceId: at.w1.id, resourceExternalId: 'w1', resourceTypeSlug: 'workspace' }), UnprocessableEntityException, { message: /resource_id/ });
  await refused(may(m, 'project:see', { resourceExternalId: 'w1' }), UnprocessableEntityException, { message: /resource_type_slug/ });
});

test('resources that a membership can do something on are found below a parent, at any depth', async () => {
  const { organizationId, at, give } = await scene();
  const m = await member(organizationId);
  await give(m, 'owner', at.w1);
  await give(m, 'editor', at.w2a);
  const find = (permissionSlug, parent) => authorization.listResourcesForMembership({ organizationMembershipId: m.id, permissionSlug, ...parent });
  const below = { parentResourceId: home(organizationId) };
  const wanted = (...resources) => resources.map(({ id }) => id).sort();
  const all = await find('project:edit', below);
  assert.deepEqual(ids(all).filter((id) => id !== at.w1.id), wanted(at.w1a, at.w1b, at.w2a));
  assert.deepEqual(all.data.find(({ id }) => id === at.w1a.id), at.w1a);
  for (const { id } of all.data) assert.equal(await may(m, 'project:edit', { resourceId: id }), true);
  assert.deepEqual(ids(await find('project:edit', { parentResourceExternalId: organizationId, parentResourceTypeSlug: 'organization' })), ids(all));
  assert.deepEqual(ids(await find('project:edit', { parentResourceId: at.w1.id })), wanted(at.w1a, at.w1b));
  assert.deepEqual(ids(await find('project:edit', { parentResourceExternalId: 'w2', parentResourceTypeSlug: 'workspace' })), wanted(at.w2a));
  assert.deepEqual(ids(await find('workspace:rename', { parentResourceId: at.w2.id })), []);
  await userManagement.deactivateOrganizationMembership(m.id);
  assert.deepEqual(ids(await find('project:edit', below)), []);
  await userManagement.reactivateOrganizationMembership(m.id);

  await refused(find('project:edit', {}), GenericServerException, { status: 400, code: 'bad_request', message: /parent/ });
  await refused(find(undefined, below), UnprocessableEntityException, { message: /permission_slug/ });
  await refused(find('project:gone', below), NotFoundException, { code: 'entity_not_found' });
  await refused(find('project:edit', { parentResourceId: `authz_resource_${nobody}` }), NotFoundException);
  await refused(authorization.listResourcesForMembership({ organizationMembershipId: `om_${nobody}`, permissionSlug: 'project:edit', ...below }), NotFoundException);
});

test('memberships that can do something on a resource are found, by assignments on it or by inherited ones', async () => {
  const { organizationId, at, give } = await scene();
  const [owner, editor, auditor, grouped, off] = [await member(organizationId), await member(organizationId),
    await member(organizationId, { roleSlug: 'auditor' }), await member(organizationId), await member(organizationId)];
  await give(owner, 'owner', at.w1);
  await give(editor, 'editor', at.w1a);
  await give(off, 'editor', at.w1a);
  await userManagement.deactivateOrganizationMembership(off.id);
  const { id: groupId } = await groups.createGroup({ organizationId, name: 'G' });
  await groups.addOrganizationMembership({ organizationId, groupId, organizationMembershipId: grouped.id });
  await authorization.createGroupRoleAssignment({ groupId, roleSlug: 'editor', resourceId: at.w1a.id });

  const named = { organizationId, resourceTypeSlug: 'project', externalId: 'w1/a' };
  const find = async (permissionSlug, assignment) => {
    const options = { permissionSlug, ...(assignment && { assignment }) };
    const list = await authorization.listMembershipsForResource({ resourceId: at.w1a.id, ...options });
    const byExternalId = await authorization.listMembershipsForResourceByExternalId({ ...named, ...options });
    assert.deepEqual(byExternalId.data, list.data);
    return list;
  };
  const wanted = (...ms) => ms.map(({ id }) => id).sort();
  const all = await find('project:see');
  assert.deepEqual(ids(all), wanted(owner, editor, auditor, grouped));
  const { role, roles, organizationName, ...base } = await userManagement.getOrganizationMembership(owner.id);
  assert.deepEqual(all.data.find(({ id }) => id === owner.id), base);
  for (const m of all.data) assert.equal(await may(m, 'project:see', { resourceId: at.w1a.id }), true);
  assert.deepEqual(ids(await find('project:see', 'indirect')), ids(all), 'includes inherited ones');
  assert.deepEqual(ids(await find('project:see', 'direct')), wanted(editor, grouped));
  assert.deepEqual(ids(await find('project:edit')), wanted(owner, editor, grouped));
  assert.deepEqual(ids(await authorization.listMembershipsForResource({ resourceId: home(organizationId), permissionSlug: 'bills:pay' })), [auditor.id]);

  await refused(find('project:gone'), NotFoundException, { code: 'entity_not_found' });
  await refused(find('project:see', 'sideways'), UnprocessableEntityException, { message: /assignment/ });
  await refused(find(undefined), UnprocessableEntityException, { message: /permission_slug/ });
  await refused(authorization.listMembershipsForResource({ resourceId: `authz_resource_${nobody}`, permissionSlug: 'project:see' }), NotFoundException);
  await refused(authorization.listMembershipsForResourceByExternalId({ ...named, externalId: 'w3', permissionSlug: 'project:see' }), NotFoundException);
});

test('effective permissions on a resource are those that a check allows, by either path', async () => {
  const { organizationId, at, give } = await scene();
  const m = await member(organizationId, { roleSlug: 'auditor' });
  await give(m, 'editor', at.w1a);
  await give(m, 'owner', at.w2);
  const held = async (resource) => {
    const list = await authorization.listEffectivePermissions({ organizationMembershipId: m.id, resourceId: resource.id });
    const byExternalId = await authorization.listEffectivePermissionsByExternalId({
      organizationMembershipId: m.id, resourceTypeSlug: resource.resourceTypeSlug, externalId: resource.externalId,
    });
    assert.deepEqual(byExternalId.data, list.data);
    for (const { slug } of list.data) assert.equal(await both(m, slug, resource), true);
    return slugs(list).sort();
  };
  // All that a check allows, whatever type a permission was made for.
  assert.deepEqual(await held(at.w1a), ['bills:pay', 'project:edit', 'project:see']);
  assert.deepEqual(await held(at.w1b), ['bills:pay', 'project:see']);
  assert.deepEqual(await held(at.w2b), ['bills:pay', 'project:edit', 'project:see', 'workspace:rename']);
  assert.deepEqual(await held(await authorization.getResource(home(organizationId))), ['bills:pay', 'project:see']);
  const { data } = await authorization.listEffectivePermissions({ organizationMembershipId: m.id, resourceId: at.w1b.id });
  assert.deepEqual(data.find(({ slug }) => slug === 'project:see'), await authorization.getPermission('project:see'));

  await userManagement.deactivateOrganizationMembership(m.id);
  assert.deepEqual(await held(at.w1a), []);
  const organizationMembershipId = m.id;
  await refused(authorization.listEffectivePermissions({ organizationMembershipId, resourceId: `authz_resource_${nobody}` }), NotFoundException);
  await refused(authorization.listEffectivePermissionsByExternalId({ organizationMembershipId, resourceTypeSlug: 'project', externalId: 'none' }), NotFoundException);
  await refused(authorization.listEffectivePermissions({ organizationMembershipId: `om_${nobody}`, resourceId: at.w1.id }), NotFoundException);
});

test('one user has other rights in another organization', async () => {
  const [one, two] = [await scene(), await scene()];
  const { id: userId } = await user();
  const [first, second] = [
    await userManagement.createOrganizationMembership({ userId, organizationId: one.organizationId }),
    await userManagement.createOrganizationMembership({ userId, organizationId: two.organizationId }),
  ];
  await one.give(first, 'owner', one.at.w1);
  assert.equal(await both(first, 'project:see', one.at.w1a), true);
  assert.equal(await both(second, 'project:see', two.at.w1a), false);
  await refused(may(second, 'project:see', { resourceId: one.at.w1a.id }), NotFoundException);
  await refused(two.give(second, 'owner', one.at.w1), NotFoundException);
});
