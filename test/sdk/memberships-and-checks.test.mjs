import assert from 'node:assert/strict';
import test from 'node:test';
import { ConflictException, GenericServerException, NotFoundException, UnprocessableEntityException } from '@workos-inc/node';

import { authorization, may, member, organization, organizations, permissions, refused, times, user, userManagement, workos } from './rolecall.mjs';

const ids = (list) => list.map(({ id }) => id);

test('a membership has the default role, or the one asked for', async () => {
  const org = await organization({ name: 'Acme <&> Söhne' });
  const { id: userId } = await user();
  const made = await userManagement.createOrganizationMembership({ userId, organizationId: org.id });
  assert.match(made.id, /^om_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(made, {
    object: 'organization_membership',
    id: made.id,
    userId,
    organizationId: org.id,
    organizationName: 'Acme <&> Söhne',
    status: 'active',
    directoryManaged: false,
    createdAt: made.createdAt,
    updatedAt: made.createdAt,
    role: { slug: 'member' },
    roles: [{ slug: 'member' }],
    customAttributes: {},
  });
  assert.deepEqual(await userManagement.getOrganizationMembership(made.id), made);

  await authorization.createOrganizationRole(org.id, { slug: 'org-billing', name: 'Billing' });
  const custom = await member(org.id, { roleSlug: 'org-billing' });
  assert.deepEqual([custom.role, custom.roles], [{ slug: 'org-billing' }, [{ slug: 'org-billing' }]]);
  const listed = await member(org.id, { roleSlugs: ['org-billing'] });
  assert.deepEqual(listed.roles, [{ slug: 'org-billing' }], 'R63');
});

test('roles are replaced', async () => {
  const org = await organization();
  await authorization.createEnvironmentRole({ slug: 'admin', name: 'Admin' });
  const { slug } = await authorization.createOrganizationRole(org.id, { name: 'Support' });
  const m = await member(org.id);
  const update = (options) => userManagement.updateOrganizationMembership(m.id, options);
  assert.deepEqual((await update({ roleSlug: slug })).role, { slug });
  const now = await update({ roleSlugs: ['admin'] });
  assert.deepEqual([now.role, now.roles], [{ slug: 'admin' }, [{ slug: 'admin' }]]);
  assert.deepEqual(await update({}), now, 'R62: none named, none changed');
  assert.deepEqual(await update({ roleSlug: 'admin' }), now);
  assert.deepEqual(await userManagement.getOrganizationMembership(m.id), now);
});

test('roles that cannot be held are refused and change nothing', async () => {
  const org = await organization();
  const other = await organization();
  await authorization.createOrganizationRole(other.id, { slug: 'org-theirs', name: 'Theirs' });
  const m = await member(org.id);
  const { id: userId } = await user();
  for (const write of [
    (options) => userManagement.updateOrganizationMembership(m.id, options),
    (options) => userManagement.createOrganizationMembership({ userId, organizationId: org.id, ...options }),
  ]) {
    await refused(write({ roleSlug: 'nobody' }), UnprocessableEntityException, {
      code: 'invalid_role', message: /Role 'nobody' is not a valid role/,
    });
    await refused(write({ roleSlug: 'org-theirs' }), UnprocessableEntityException, { code: 'invalid_role' });
    await refused(write({ roleSlugs: ['member', 'admin'] }), UnprocessableEntityException, {
      code: 'multiple_roles_not_enabled', message: /Multiple roles are not enabled/,
    });
    await refused(write({ roleSlugs: [] }), UnprocessableEntityException, {
      code: 'invalid_request_parameters', message: /role_slugs must name at least one role/,
    });
    await refused(write({ roleSlug: 'member', roleSlugs: ['member'] }), UnprocessableEntityException, {
      code: 'invalid_request_parameters', message: /role_slugs cannot be combined with role_slug/,
    });
  }
  assert.deepEqual(await userManagement.getOrganizationMembership(m.id), m);
  const { data } = await userManagement.listOrganizationMemberships({ userId });
  assert.deepEqual(data, []);
});

test('R61: one membership for a user and an organization', async () => {
  const org = await organization();
  const m = await member(org.id);
  const again = (options) => userManagement.createOrganizationMembership({ userId: m.userId, organizationId: org.id, ...options });
  await refused(again({ roleSlug: 'admin' }), ConflictException, {
    code: 'organization_membership_already_exists', message: /already has an active membership/,
  });
  assert.deepEqual(await userManagement.getOrganizationMembership(m.id), m);

  await userManagement.deactivateOrganizationMembership(m.id);
  const back = await again({ roleSlug: 'admin' });
  assert.deepEqual([back.id, back.status, back.role], [m.id, 'active', { slug: 'admin' }]);

  // Many at once make one.
  const { id: userId } = await user();
  const results = await Promise.allSettled(Array.from({ length: 4 }, () =>
    userManagement.createOrganizationMembership({ userId, organizationId: org.id })));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
    assert.ok(reason instanceof ConflictException, String(reason));
  }

  const nobody = 'user_01JZ0000000000000000000000';
  await refused(userManagement.createOrganizationMembership({ userId: nobody, organizationId: org.id }), NotFoundException, { message: /User/ });
  await refused(
    userManagement.createOrganizationMembership({ userId, organizationId: 'org_01JZ0000000000000000000000' }),
    NotFoundException, { message: /Organization/ },
  );
});

test('R65, R66: a deactivated member may nothing and gets back what he had', async () => {
  await permissions('doors:open');
  const org = await organization();
  await authorization.createOrganizationRole(org.id, { slug: 'org-porter', name: 'Porter' });
  await authorization.addOrganizationRolePermission(org.id, 'org-porter', { permissionSlug: 'doors:open' });
  const m = await member(org.id, { roleSlug: 'org-porter' });
  const status = async (...statuses) =>
    ids((await userManagement.listOrganizationMemberships({ organizationId: org.id, ...(statuses.length > 0 && { statuses }) })).data);
  assert.equal(await may(m, 'doors:open'), true);

  const off = await userManagement.deactivateOrganizationMembership(m.id);
  assert.deepEqual([off.id, off.status, off.role], [m.id, 'inactive', { slug: 'org-porter' }]);
  assert.equal(await may(m, 'doors:open'), false);
  assert.deepEqual(await status(), [], 'R68: only active ones unless asked');
  assert.deepEqual(await status('inactive'), [m.id]);
  assert.deepEqual(await status('active', 'inactive', 'pending'), [m.id]);
  assert.deepEqual(await status('active'), []);
  assert.deepEqual(await userManagement.deactivateOrganizationMembership(m.id), off, 'again');

  const on = await userManagement.reactivateOrganizationMembership(m.id);
  assert.deepEqual([on.status, on.role], ['active', { slug: 'org-porter' }]);
  assert.equal(await may(m, 'doors:open'), true);
  assert.deepEqual(await status(), [m.id]);
  assert.deepEqual(await userManagement.reactivateOrganizationMembership(m.id), on, 'again');

  await userManagement.deleteOrganizationMembership(m.id);
  await refused(userManagement.getOrganizationMembership(m.id), NotFoundException, { code: 'entity_not_found' });
  await refused(authorization.check({ organizationMembershipId: m.id, permissionSlug: 'doors:open' }), NotFoundException);
  await refused(userManagement.deleteOrganizationMembership(m.id), NotFoundException);
  await refused(userManagement.deactivateOrganizationMembership(m.id), NotFoundException);
  assert.deepEqual(await status('active', 'inactive', 'pending'), []);
});

test('a check follows roles, permissions and membership at once', async () => {
  await permissions('rooms:book', 'rooms:cancel');
  const org = await organization();
  await authorization.createEnvironmentRole({ slug: 'booker', name: 'Booker' });
  await authorization.setEnvironmentRolePermissions('booker', { permissions: ['rooms:book'] });
  const { slug } = await authorization.createOrganizationRole(org.id, { name: 'Canceller' });
  await authorization.setOrganizationRolePermissions(org.id, slug, { permissions: ['rooms:cancel'] });
  const m = await member(org.id);
  const answers = async () => [await may(m, 'rooms:book'), await may(m, 'rooms:cancel')];

  assert.deepEqual(await answers(), [false, false]);
  await userManagement.updateOrganizationMembership(m.id, { roleSlug: 'booker' });
  assert.deepEqual(await answers(), [true, false]);
  await userManagement.updateOrganizationMembership(m.id, { roleSlug: slug });
  assert.deepEqual(await answers(), [false, true]);
  await authorization.setOrganizationRolePermissions(org.id, slug, { permissions: ['rooms:book'] });
  assert.deepEqual(await answers(), [true, false]);

  // An equal slug in another organization is another role.
  const other = await organization();
  const twin = await authorization.createOrganizationRole(other.id, { slug: 'org-twin', name: 'Twin' });
  await authorization.createOrganizationRole(org.id, { slug: 'org-twin', name: 'Twin' });
  await authorization.setOrganizationRolePermissions(org.id, 'org-twin', { permissions: ['rooms:cancel'] });
  const stranger = await member(other.id, { roleSlug: twin.slug });
  assert.equal(await may(stranger, 'rooms:cancel'), false);
});

test('a check names the organization in every way, and nothing else', async () => {
  await permissions('gates:open');
  const externalId = 'eu/west 1';
  const org = await organization({ externalId });
  await authorization.createOrganizationRole(org.id, { slug: 'org-guard', name: 'Guard' });
  await authorization.addOrganizationRolePermission(org.id, 'org-guard', { permissionSlug: 'gates:open' });
  const m = await member(org.id, { roleSlug: 'org-guard' });
  for (const resourceExternalId of [org.id, externalId]) {
    assert.equal(await may(m, 'gates:open', { resourceExternalId, resourceTypeSlug: 'organization' }), true);
  }

  const other = await organization({ externalId: 'elsewhere' });
  for (const resourceExternalId of [other.id, 'elsewhere', 'nowhere']) {
    await refused(may(m, 'gates:open', { resourceExternalId, resourceTypeSlug: 'organization' }), NotFoundException, { code: 'entity_not_found' });
  }
  await refused(may(m, 'gates:open', { resourceExternalId: org.id, resourceTypeSlug: 'galaxy' }), NotFoundException);
  await refused(may(m, 'gates:open', { resourceId: 'authz_resource_01JZ0000000000000000000000' }), NotFoundException);
  await refused(may(m, 'gates:gone'), NotFoundException, { code: 'entity_not_found', message: /gates:gone/ });
  await refused(may({ id: 'om_01JZ0000000000000000000000' }, 'gates:open'), NotFoundException);
  await refused(may(m, undefined), UnprocessableEntityException, { message: /permission_slug/ });
});

test('a check is answered anew, whatever its idempotency key', async () => {
  await permissions('lamps:light');
  const org = await organization();
  const { slug } = await authorization.createOrganizationRole(org.id, { name: 'Lamplighter' });
  const m = await member(org.id, { roleSlug: slug });
  const ask = async () => {
    const path = `/authorization/organization_memberships/${m.id}/check`;
    const { data } = await workos.post(path, { permission_slug: 'lamps:light' }, { idempotencyKey: 'the-same' });
    return data.authorized;
  };
  assert.equal(await ask(), false);
  await authorization.addOrganizationRolePermission(org.id, slug, { permissionSlug: 'lamps:light' });
  assert.equal(await ask(), true);
  await authorization.removeOrganizationRolePermission(org.id, slug, { permissionSlug: 'lamps:light' });
  assert.equal(await ask(), false);
});

test('memberships are listed by user and by organization', async () => {
  await refused(userManagement.listOrganizationMemberships({}), GenericServerException, {
    status: 400, code: 'missing_user_id_or_organization_id',
  });
  const [one, two] = [await organization({ name: 'One' }), await organization({ name: 'Two' })];
  const m = await member(one.id);
  const second = await userManagement.createOrganizationMembership({ userId: m.userId, organizationId: two.id });
  const other = await member(two.id);
  const list = async (options) => ids((await userManagement.listOrganizationMemberships(options)).data);
  assert.deepEqual(await list({ userId: m.userId }), [second.id, m.id]);
  assert.deepEqual(await list({ userId: m.userId, order: 'asc' }), [m.id, second.id]);
  assert.deepEqual(await list({ organizationId: two.id }), [other.id, second.id]);
  assert.deepEqual(await list({ organizationId: two.id, userId: m.userId }), [second.id]);
  assert.deepEqual(await list({ organizationId: one.id, userId: other.userId }), []);
  await refused(userManagement.listOrganizationMemberships({ userId: m.userId, statuses: ['asleep'] }), UnprocessableEntityException, {
    code: 'invalid_request_parameters', message: /statuses/,
  });

  await userManagement.deleteUser(m.userId);
  assert.deepEqual(await list({ organizationId: one.id }), []);
  await organizations.deleteOrganization(two.id);
  assert.deepEqual(await list({ userId: other.userId }), []);
  await refused(userManagement.getOrganizationMembership(other.id), NotFoundException);
});

test('more than 100 memberships are paged in both orders, with the filter', async () => {
  const org = await organization();
  const made = await times(103, () => member(org.id));
  const inactive = made.slice(0, 2);
  for (const { id } of inactive) await userManagement.deactivateOrganizationMembership(id);
  await member((await organization()).id); // in no list of the first

  const all = async (options) => {
    const first = await userManagement.listOrganizationMemberships({ organizationId: org.id, ...options });
    return ids(await first.autoPagination());
  };
  const statuses = ['active', 'inactive'];
  const ascending = await all({ statuses, order: 'asc' });
  assert.deepEqual([...ascending].sort(), ids(made).sort());
  assert.deepEqual(await all({ statuses, order: 'desc' }), [...ascending].reverse());
  const gone = new Set(ids(inactive));
  assert.deepEqual(await all({ order: 'asc' }), ascending.filter((id) => !gone.has(id)));
});
