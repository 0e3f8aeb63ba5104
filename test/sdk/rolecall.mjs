// What the scenarios share: clients of the server under test, refusals, and the
// operations that the official SDK has no method for.
//
// ROLECALL_ADDRESS and ROLECALL_API_KEY name the server. Every file expects an
// environment of its own that nothing was made in yet.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkOS } from '@workos-inc/node';

const { ROLECALL_ADDRESS, ROLECALL_API_KEY } = process.env;
if (!ROLECALL_ADDRESS || !ROLECALL_API_KEY) {
  throw new Error('set ROLECALL_ADDRESS and ROLECALL_API_KEY to a server with an empty database');
}

export const address = new URL(ROLECALL_ADDRESS);

// client returns the official SDK, pointed at the server as an application
// would do it. Options replace what they name.
export function client(options = {}) {
  return new WorkOS({
    apiKey: ROLECALL_API_KEY,
    clientId: 'client_test',
    apiHostname: address.hostname,
    port: Number(address.port),
    https: false,
    ...options,
  });
}

export const workos = client();
export const { authorization, organizations, userManagement, events } = workos;

// extension calls one of the operations that the public contract, and so the
// SDK, does not have.
export async function extension(method, path, body) {
  const answer = await fetch(new URL(path, address), {
    method,
    headers: {
      authorization: `Bearer ${ROLECALL_API_KEY}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

// policy reads and changes the default role and the priority order: of the
// environment, or of the organization whose id is given.
export function policy(organizationId) {
  const path = organizationId ? `/authorization/organizations/${organizationId}` : '/authorization';
  return {
    default: () => extension('GET', `${path}/default_role`),
    setDefault: (slug) => extension('PUT', `${path}/default_role`, { role_slug: slug }),
    priority: () => extension('GET', `${path}/role_priority`),
    setPriority: (slugs) => extension('PUT', `${path}/role_priority`, { role_slugs: slugs }),
  };
}

// refused asserts that a call ends in exactly this exception of the SDK, with
// the code, a message for people and the id that the server's log has, too.
export async function refused(call, exception, { code, message, status } = {}) {
  const error = await call.then(
    (value) => assert.fail(`it succeeded with ${JSON.stringify(value)}`),
    (thrown) => thrown,
  );
  if (error.constructor !== exception) {
    throw new Error(`got ${error.name}, want ${exception.name}`, { cause: error });
  }
  assert.match(error.requestID ?? '', /^\S+$/, 'requestID');
  assert.ok(error.message.length > 0, 'message');
  if (code !== undefined) assert.equal(error.code, code);
  if (message !== undefined) assert.match(error.message, message);
  if (status !== undefined) assert.equal(error.status, status);
  return error;
}

// eventually repeats an assertion until it holds: the effects of jobs, which the
// server does in the background, come a little later. It gives up after a minute.
export async function eventually(assertion) {
  for (const end = Date.now() + 60_000; ;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

// organization and user make one with a name that is nobody else's.
export function organization(options = {}) {
  return organizations.createOrganization({ name: 'Acme', ...options });
}

export function user(options = {}) {
  return userManagement.createUser({ email: `${randomUUID()}@example.test`, ...options });
}

// member makes a user and puts it into an organization, with the default role
// unless options say another.
export async function member(organizationId, options = {}) {
  const { id } = await user();
  return userManagement.createOrganizationMembership({ userId: id, organizationId, ...options });
}

// permissions makes permissions with these slugs, one after the other.
export async function permissions(...slugs) {
  for (const slug of slugs) await authorization.createPermission({ slug, name: slug });
}

export async function may(membership, permissionSlug, target = {}) {
  const { authorized } = await authorization.check({
    organizationMembershipId: membership.id,
    permissionSlug,
    ...target,
  });
  return authorized;
}

export const slugs = (list) => list.data.map(({ slug }) => slug);

// times makes n things with at most 8 requests under way.
export async function times(n, make) {
  const made = new Array(n);
  let next = 0;
  const worker = async () => {
    while (next < n) {
      const i = next++;
      made[i] = await make(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(8, n) }, worker));
  return made;
}
