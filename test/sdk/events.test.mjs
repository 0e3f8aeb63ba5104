import assert from 'node:assert/strict';
import test from 'node:test';
import { UnprocessableEntityException } from '@workos-inc/node';

import {
  authorization, events, extension, member, organization, organizations, permissions, policy, refused, times, user, userManagement,
} from './rolecall.mjs';

// names is every event that mutations of this file cause.
const names = ['permission', 'role', 'organization_role', 'organization', 'user', 'organization_membership']
  .flatMap((noun) => [`${noun}.created`, `${noun}.updated`, `${noun}.deleted`]);

// Mirror is a copy of an environment that is told of changes by events alone,
// and keeps the id of the last one as its cursor.
class Mirror {
  cursor = undefined;
  story = [];
  permission = new Map();
  role = new Map();
  organization_role = new Map();
  organization = new Map();
  user = new Map();
  organization_membership = new Map();

  // An environment is born with this role, before anybody can read events.
  constructor(seeded) {
    this.role.set('member', reduced(seeded));
  }

  apply(told) {
    const { id, event, data } = told;
    const [noun, verb] = event.split('.');
    const key = { permission: data.slug, role: data.slug, organization_role: `${data.organizationId} ${data.slug}` }[noun] ?? data.id;
    const known = this[noun].has(key);
    assert.equal(known, verb !== 'created', `${event} of ${key}`);
    if (verb === 'deleted') this[noun].delete(key);
    else this[noun].set(key, data);
    this.story.push(told);
    this.cursor = id;
  }

  get seen() {
    return this.story.map(({ id }) => id);
  }

  // poll applies one page and says whether there was anything on it.
  async poll(limit) {
    const { data } = await events.listEvents({ events: names, limit, ...(this.cursor && { after: this.cursor }) });
    for (const event of data) this.apply(event);
    return data.length > 0;
  }

  async drain(limit) {
    while (await this.poll(limit));
    return this;
  }
}

// reduced is an environment role as its events show it.
const reduced = ({ object, slug, resourceTypeSlug, permissions, createdAt, updatedAt }) =>
  ({ object, slug, resourceTypeSlug, permissions, createdAt, updatedAt });

const sorted = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const keyed = (list, key) => sorted(new Map(list.map((item) => [key(item), item])));
const everything = async (list) => (await list).autoPagination();

// same asserts that a mirror holds what the API lists.
async function same(mirror) {
  const slug = (item) => item.slug;
  const id = (item) => item.id;
  assert.deepEqual(sorted(mirror.permission), keyed(await everything(authorization.listPermissions()), slug));
  assert.deepEqual(sorted(mirror.role), keyed((await authorization.listEnvironmentRoles()).data.map(reduced), slug));
  assert.deepEqual(sorted(mirror.user), keyed(await everything(userManagement.listUsers()), id));
  const orgs = await everything(organizations.listOrganizations());
  assert.deepEqual(sorted(mirror.organization), keyed(orgs, id));

  const custom = [];
  const members = [];
  for (const org of orgs) {
    for (const { id: _, type, ...role } of (await authorization.listOrganizationRoles(org.id)).data) {
      if (type === 'OrganizationRole') custom.push({ ...role, object: 'organization_role', organizationId: org.id });
    }
    members.push(...await everything(userManagement.listOrganizationMemberships({
      organizationId: org.id, statuses: ['active', 'inactive', 'pending'],
    })));
  }
  assert.deepEqual(sorted(mirror.organization_role), keyed(custom, (role) => `${role.organizationId} ${role.slug}`));
  // Events leave the name of the organization out.
  const nameless = members.map((m) => ({ ...m, organizationName: undefined }));
  assert.deepEqual(sorted(mirror.organization_membership), keyed(nameless, id));
}

let seeded;
let follower;

test('a new environment has no events', async () => {
  [seeded] = (await authorization.listEnvironmentRoles()).data;
  const list = await events.listEvents({ events: names });
  assert.deepEqual([list.data, list.listMetadata], [[], { after: null }]);
  follower = new Mirror(seeded);
});

// told runs a change and returns the events it caused, all of them.
async function told(change) {
  const result = await change();
  const from = follower.story.length;
  await follower.drain(2);
  const caused = follower.story.slice(from);
  return { result, caused, names: caused.map(({ event }) => event) };
}

test('each mutation tells of itself, and one that changes nothing tells nothing', async () => {
  const tells = async (change, ...wanted) => {
    const done = await told(change);
    assert.deepEqual(done.names, wanted);
    return done;
  };
  const permission = await tells(() => authorization.createPermission({ slug: 'a:*', name: 'A' }), 'permission.created');
  assert.deepEqual(permission.caused[0].data, permission.result);
  assert.match(permission.caused[0].id, /^event_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(permission.caused[0].context.actor.source, 'api');
  await tells(() => authorization.createPermission({ slug: 'b', name: 'B' }), 'permission.created');
  await tells(() => authorization.updatePermission('b', { name: 'B' }));
  const described = await tells(() => authorization.updatePermission('b', { description: 'said' }), 'permission.updated');
  assert.deepEqual(described.caused[0].context.previous_attributes, { description: null });

  await tells(() => authorization.createEnvironmentRole({ slug: 'admin', name: 'Admin' }), 'role.created');
  await tells(() => authorization.setEnvironmentRolePermissions('admin', { permissions: ['b', 'a:*'] }), 'role.updated');
  await tells(() => authorization.setEnvironmentRolePermissions('admin', { permissions: ['a:*', 'b'] }));
  await tells(() => authorization.addEnvironmentRolePermission('admin', { permissionSlug: 'b' }));
  await tells(() => authorization.setEnvironmentRolePermissions('member', { permissions: ['b'] }), 'role.updated');
  await tells(() => policy().setDefault('admin'));
  await tells(() => policy().setPriority(['admin', 'member']));

  const { result: org } = await tells(() => organization(), 'organization.created');
  const { result: role, caused: [made] } = await tells(
    () => authorization.createOrganizationRole(org.id, { slug: 'org-x', name: 'X', description: 'D' }), 'organization_role.created');
  assert.deepEqual(made.data, {
    object: 'organization_role', organizationId: org.id, slug: 'org-x', name: 'X', description: 'D',
    resourceTypeSlug: 'organization', permissions: [], createdAt: role.createdAt, updatedAt: role.updatedAt,
  });
  await tells(() => authorization.setOrganizationRolePermissions(org.id, 'org-x', { permissions: ['b'] }), 'organization_role.updated');
  await tells(() => authorization.addOrganizationRolePermission(org.id, 'org-x', { permissionSlug: 'b' }));
  await tells(() => authorization.updateOrganizationRole(org.id, 'org-x', { description: null }), 'organization_role.updated');
  await tells(() => authorization.updateOrganizationRole(org.id, 'org-x', {}));

  const { result: person } = await tells(() => user(), 'user.created');
  const { result: m } = await tells(
    () => userManagement.createOrganizationMembership({ userId: person.id, organizationId: org.id, roleSlug: 'org-x' }),
    'organization_membership.created');
  await tells(() => userManagement.updateOrganizationMembership(m.id, { roleSlug: 'org-x' }));
  const moved = await tells(() => userManagement.updateOrganizationMembership(m.id, { roleSlug: 'admin' }), 'organization_membership.updated');
  assert.deepEqual(moved.caused[0].context.previous_attributes, { role: { slug: 'org-x' }, roles: [{ slug: 'org-x' }] });
  await tells(() => userManagement.reactivateOrganizationMembership(m.id));
  await tells(() => userManagement.deactivateOrganizationMembership(m.id), 'organization_membership.updated');
  await tells(() => userManagement.deactivateOrganizationMembership(m.id));
  await tells(() => userManagement.reactivateOrganizationMembership(m.id), 'organization_membership.updated');

  // R53: the roles follow, in an order that nobody promises.
  const { names: [first, ...others] } = await told(() => authorization.deletePermission('b'));
  assert.equal(first, 'permission.deleted');
  assert.deepEqual(others.sort(), ['organization_role.updated', 'role.updated', 'role.updated']);
  await tells(() => authorization.deleteOrganizationRole(org.id, 'org-x'), 'organization_role.deleted');
  await tells(() => authorization.createOrganizationRole(org.id, { name: 'Left over' }), 'organization_role.created');
  await tells(() => userManagement.updateUser({ userId: person.id, firstName: 'P' }), 'user.updated');
  await tells(() => organizations.updateOrganization({ organization: org.id, name: 'Other' }), 'organization.updated');
  await tells(() => organizations.updateOrganization({ organization: org.id, name: 'Other' }));

  // What belongs to something goes before it.
  await tells(() => organizations.deleteOrganization(org.id),
    'organization_membership.deleted', 'organization_role.deleted', 'organization.deleted');
  const second = await organization();
  await userManagement.createOrganizationMembership({ userId: person.id, organizationId: second.id });
  await follower.drain(100);
  await tells(() => userManagement.deleteUser(person.id), 'organization_membership.deleted', 'user.deleted');
  await tells(() => extension('DELETE', '/authorization/roles/admin')); // still the default: refused
  await policy().setDefault('member');
  await tells(() => extension('DELETE', '/authorization/roles/admin'), 'role.deleted');
  await tells(() => authorization.createOrganizationRole(second.id, { slug: 'nope', name: 'Refused' }).catch(() => {}));
  await same(follower);
});

// company makes an organization and lives through what happens in one.
async function company(i) {
  const org = await organization({ name: `Company ${i}`, externalId: `company/${i}` });
  await authorization.createOrganizationRole(org.id, { slug: 'org-lead', name: 'Lead' });
  const { slug } = await authorization.createOrganizationRole(org.id, { name: `Crew ${i}` });
  await authorization.setOrganizationRolePermissions(org.id, 'org-lead', { permissions: ['run', 'walk'] });
  await authorization.addOrganizationRolePermission(org.id, slug, { permissionSlug: 'crawl' });
  const lead = await member(org.id, { roleSlug: 'org-lead' });
  const crew = await member(org.id, { roleSlug: slug });
  const guest = await member(org.id);
  await authorization.updateOrganizationRole(org.id, 'org-lead', { description: `Leads ${i}` });
  await userManagement.updateOrganizationMembership(crew.id, { roleSlug: 'org-lead' });
  await userManagement.deactivateOrganizationMembership(guest.id);
  await authorization.deleteOrganizationRole(org.id, slug);
  await authorization.removeOrganizationRolePermission(org.id, 'org-lead', { permissionSlug: 'walk' });
  if (i % 3 === 0) await userManagement.deleteOrganizationMembership(lead.id);
  if (i % 4 === 0) await userManagement.deleteUser(crew.userId);
  if (i % 5 === 0) await organizations.deleteOrganization(org.id);
}

test('a mirror that follows concurrent writers by cursor misses nothing', async () => {
  await permissions('run', 'walk', 'crawl', 'doomed');
  await authorization.createEnvironmentRole({ slug: 'runner', name: 'Runner' });
  await authorization.setEnvironmentRolePermissions('runner', { permissions: ['run', 'doomed'] });

  let writing = true;
  const writers = times(12, async (i) => {
    await company(i);
    if (i === 6) await authorization.deletePermission('doomed');
  }).finally(() => { writing = false; });
  const following = (async () => {
    while (writing) await follower.poll(7);
    await follower.drain(100);
  })();
  await Promise.all([writers, following]);
  await same(follower);
});

test('every replay is the same story, wherever it begins', async () => {
  const replay = await new Mirror(seeded).drain(100);
  assert.deepEqual(replay.seen, follower.seen);
  assert.equal(new Set(replay.seen).size, replay.seen.length);
  assert.ok(replay.seen.length > 200);
  await same(replay);
  assert.deepEqual((await new Mirror(seeded).drain(33)).seen, follower.seen);

  const middle = Math.floor(follower.seen.length / 2);
  const { data } = await events.listEvents({ events: names, after: follower.seen[middle - 1], limit: 100 });
  assert.deepEqual(data.map(({ id }) => id), follower.seen.slice(middle, middle + 100));
});

test('R156: pages lead forward to null, filters narrow, order turns round', async () => {
  const first = await events.listEvents({ limit: 5 });
  assert.deepEqual(first.data.map(({ id }) => id), follower.seen.slice(0, 5), 'oldest first unless asked otherwise');
  assert.equal(first.listMetadata.after, follower.seen[4]);
  const newest = await events.listEvents({ limit: 5, order: 'desc' });
  assert.deepEqual(newest.data.map(({ id }) => id), follower.seen.slice(-5).reverse());
  const none = await events.listEvents({ after: follower.seen.at(-1) });
  assert.deepEqual([none.data, none.listMetadata], [[], { after: null }]);

  const [org] = follower.organization.keys();
  const ofOne = (await events.listEvents({ organizationId: org, limit: 100 })).data;
  assert.ok(ofOne.length > 0);
  for (const { data } of ofOne) assert.ok(data.organizationId === org || data.id === org);
  const deleted = (await events.listEvents({ events: ['role.deleted', 'permission.deleted'], limit: 100 })).data;
  assert.deepEqual([...new Set(deleted.map(({ event }) => event))].sort(), ['permission.deleted', 'role.deleted']);

  const hour = 3_600_000;
  const near = (offset) => new Date(Date.now() + offset).toISOString();
  const within = (rangeStart, rangeEnd) => events.listEvents({ rangeStart, rangeEnd, limit: 5 });
  assert.deepEqual((await within(near(-hour), near(hour))).data, first.data);
  assert.deepEqual((await within(near(-2 * hour), near(-hour))).data, []);
  await refused(within(near(-31 * 24 * hour), near(0)), UnprocessableEntityException, { message: /30 days/ });
  await refused(events.listEvents({ after: 'event_01JZ0000000000000000000000' }), UnprocessableEntityException, { message: /after/ });
  await refused(events.listEvents({ limit: 101 }), UnprocessableEntityException, { message: /limit/ });
});
