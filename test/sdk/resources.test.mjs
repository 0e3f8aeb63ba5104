import assert from 'node:assert/strict';
import test from 'node:test';
import { ConflictException, GenericServerException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, extension, organization, refused } from './rolecall.mjs';

const ids = (list) => list.data.map(({ id }) => id);
const home = (organizationId) => organizationId.replace('org_', 'authz_resource_');

test('resource types are made through an extension', async () => {
  for (const [slug, parents] of [['workspace', ['organization']], ['project', ['workspace', 'organization']]]) {
    const made = await extension('POST', '/authorization/resource_types', { slug, name: slug, parent_resource_type_slugs: parents });
    assert.equal(made.status, 201);
  }
  const role = await authorization.createEnvironmentRole({ slug: 'editor', name: 'Editor', resourceTypeSlug: 'project' });
  assert.equal(role.resourceTypeSlug, 'project');
  const permission = await authorization.createPermission({ slug: 'project:edit', name: 'Edit', resourceTypeSlug: 'project' });
  assert.equal(permission.resourceTypeSlug, 'project');
});

test('a resource is made, read, changed and deleted, by either of its ids', async () => {
  const { id: organizationId } = await organization();
  const where = { organizationId, resourceTypeSlug: 'workspace', externalId: 'main/one' };
  const made = await authorization.createResource({ ...where, name: 'Main', description: 'All of it' });
  assert.deepEqual(made, {
    object: 'authorization_resource',
    id: made.id,
    externalId: 'main/one',
    name: 'Main',
    description: 'All of it',
    resourceTypeSlug: 'workspace',
    organizationId,
    parentResourceId: home(organizationId),
    createdAt: made.createdAt,
    updatedAt: made.createdAt,
  });
  assert.match(made.id, /^authz_resource_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(await authorization.getResource(made.id), made);
  assert.deepEqual(await authorization.getResourceByExternalId(where), made);
  await refused(authorization.createResource({ ...where, name: 'Again' }), ConflictException, { code: 'authorization_resource_external_id_conflict' });

  assert.equal((await authorization.updateResource({ resourceId: made.id, name: 'Second' })).description, 'All of it');
  assert.equal((await authorization.updateResourceByExternalId({ ...where, description: null })).description, null);
  assert.equal((await authorization.getResource(made.id)).name, 'Second');
  await authorization.deleteResourceByExternalId(where);
  await refused(authorization.getResource(made.id), NotFoundException, { code: 'entity_not_found' });
});

test('resources lie below others, are listed by parent and go with them', async () => {
  const { id: organizationId } = await organization();
  const workspace = await authorization.createResource({ organizationId, resourceTypeSlug: 'workspace', externalId: 'w', name: 'W' });
  const project = { organizationId, resourceTypeSlug: 'project', name: 'P' };
  const byId = await authorization.createResource({ ...project, externalId: '1', parentResourceId: workspace.id });
  const byExternalId = await authorization.createResource({
    ...project, externalId: '2', parentResourceExternalId: 'w', parentResourceTypeSlug: 'workspace',
  });
  const alone = await authorization.createResource({ ...project, externalId: '3', parentResourceId: null });
  assert.equal(byId.parentResourceId, workspace.id);
  assert.equal(byExternalId.parentResourceId, workspace.id);
  assert.equal(alone.parentResourceId, home(organizationId));
  await refused(authorization.createResource({ ...project, externalId: '4', parentResourceId: byId.id }), UnprocessableEntityException);

  assert.deepEqual(ids(await authorization.listResources({ organizationId })), [alone, byExternalId, byId, workspace].map(({ id }) => id));
  const below = [byExternalId.id, byId.id];
  assert.deepEqual(ids(await authorization.listResources({ parentResourceId: workspace.id })), below);
  assert.deepEqual(ids(await authorization.listResources({ organizationId, parentExternalId: 'w', parentResourceTypeSlug: 'workspace' })), below);
  const first = await authorization.listResources({ organizationId, resourceTypeSlug: 'project', limit: 2 });
  const rest = await authorization.listResources({ organizationId, resourceTypeSlug: 'project', limit: 2, after: first.listMetadata.after });
  assert.deepEqual([...ids(first), ...ids(rest)], [alone.id, ...below]);
  await refused(authorization.listResources(), GenericServerException, { status: 400, code: 'missing_organization_id_or_resource_type_slug' });

  await refused(authorization.deleteResource({ resourceId: workspace.id }), ConflictException, { code: 'resource_has_dependents' });
  await refused(authorization.deleteResource({ resourceId: workspace.id, cascadeDelete: false }), ConflictException);
  await authorization.deleteResource({ resourceId: workspace.id, cascadeDelete: true });
  assert.deepEqual(ids(await authorization.listResources({ organizationId })), [alone.id]);
});

test("an organization's own resource is read and not changed", async () => {
  const { id: organizationId } = await organization({ externalId: 'customer/7', name: 'Globex' });
  const own = await authorization.getResource(home(organizationId));
  assert.equal(own.externalId, 'customer/7');
  assert.equal(own.parentResourceId, null);
  for (const externalId of ['customer/7', organizationId]) {
    assert.deepEqual(await authorization.getResourceByExternalId({ organizationId, resourceTypeSlug: 'organization', externalId }), own);
  }
  await refused(authorization.updateResource({ resourceId: own.id, name: 'x' }), GenericServerException, { status: 400, code: 'bad_request' });
  await refused(authorization.deleteResource({ resourceId: own.id, cascadeDelete: true }), GenericServerException, { status: 400, code: 'bad_request' });
});
