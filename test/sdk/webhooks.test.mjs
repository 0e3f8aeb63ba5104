import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import {
  ConflictException, NotFoundException, SignatureVerificationException, UnprocessableEntityException,
} from '@workos-inc/node';

import { authorization, events, eventually, extension, member, organization, policy, refused, workos } from './rolecall.mjs';

const { groups, webhooks } = workos;

// Receiver is an application's server: it keeps what it gets, and answers with
// a status.
class Receiver {
  got = [];
  status = 200;
  waiting = [];

  async open(t) {
    this.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      this.got.push({ headers: request.headers, method: request.method, body: Buffer.concat(chunks) });
      response.writeHead(this.status).end('thanks');
      this.waiting.splice(0).forEach((wake) => wake());
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    t.after(() => { this.server.closeAllConnections(); this.server.close(); });
    this.url = `http://127.0.0.1:${this.server.address().port}/webhooks`;
    return this;
  }

  // until waits for the n-th request. A test that hangs is ended from outside.
  async until(n) {
    while (this.got.length < n) await new Promise((wake) => this.waiting.push(wake));
    return this.got;
  }
}

test('an endpoint is created, listed, changed and deleted', async () => {
  const created = await webhooks.createWebhookEndpoint({
    endpointUrl: 'https://example.com/webhooks', events: ['role.created', 'dsync.user.created'],
  });
  assert.match(created.id, /^we_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.match(created.secret, /^whsec_.{40,}$/);
  assert.deepEqual(created, {
    object: 'webhook_endpoint',
    id: created.id,
    endpointUrl: 'https://example.com/webhooks',
    secret: created.secret,
    status: 'enabled',
    events: ['role.created', 'dsync.user.created'],
    createdAt: created.createdAt,
    updatedAt: created.createdAt,
  });
  assert.deepEqual((await webhooks.listWebhookEndpoints()).data, [created]);

  const changed = await webhooks.updateWebhookEndpoint({
    id: created.id, endpointUrl: 'https://example.com/other', status: 'disabled', events: ['user.created'],
  });
  assert.deepEqual(changed, {
    ...created, endpointUrl: 'https://example.com/other', status: 'disabled', events: ['user.created'], updatedAt: changed.updatedAt,
  });

  await refused(
    webhooks.createWebhookEndpoint({ endpointUrl: 'https://example.com/other', events: ['role.created'] }),
    ConflictException, { message: /exists already/ },
  );
  await refused(
    webhooks.createWebhookEndpoint({ endpointUrl: 'ftp://example.com', events: ['role.created'] }),
    UnprocessableEntityException, { code: 'invalid_url' },
  );
  await refused(
    webhooks.createWebhookEndpoint({ endpointUrl: 'https://example.com/x', events: ['role.invented'] }),
    UnprocessableEntityException,
  );

  assert.equal(await webhooks.deleteWebhookEndpoint({ id: created.id }), undefined);
  await refused(webhooks.deleteWebhookEndpoint({ id: created.id }), NotFoundException);
  assert.deepEqual((await webhooks.listWebhookEndpoints()).data, []);
});

test('a delivery is verified by the SDK and is the event that the API lists', async (t) => {
  const receiver = await new Receiver().open(t);
  const endpoint = await webhooks.createWebhookEndpoint({ endpointUrl: receiver.url, events: ['organization.created', 'permission.created'] });
  t.after(() => webhooks.deleteWebhookEndpoint({ id: endpoint.id }));
  const acme = await organization({ name: 'Ac<me> & "Söhne" 😀' });
  const [{ headers, method, body }] = await receiver.until(1);
  assert.equal(method, 'POST');
  assert.equal(headers['content-type'], 'application/json');

  const sigHeader = headers['workos-signature'];
  assert.match(sigHeader, /^t=\d{13}, v1=[0-9a-f]{64}$/);
  const told = await webhooks.constructEvent({ payload: body.toString(), sigHeader, secret: endpoint.secret });
  assert.equal(told.event, 'organization.created');
  assert.deepEqual(told.data, acme);
  // Applications also hand over what their framework parsed, or the bytes.
  assert.deepEqual(await webhooks.constructEvent({ payload: JSON.parse(body), sigHeader, secret: endpoint.secret }), told);
  assert.deepEqual(await webhooks.constructEvent({ payload: new Uint8Array(body), sigHeader, secret: endpoint.secret }), told);

  const listed = await events.listEvents({ events: ['organization.created'] });
  assert.deepEqual(listed.data.at(-1), told);

  for (const wrong of [
    { payload: body.toString().replace('Ac', 'Bc'), sigHeader, secret: endpoint.secret },
    { payload: body.toString(), sigHeader, secret: `${endpoint.secret}x` },
    { payload: body.toString(), sigHeader: sigHeader.replace(/t=\d/, 't=3'), secret: endpoint.secret },
  ]) {
    await assert.rejects(webhooks.constructEvent(wrong), SignatureVerificationException);
  }
});

test('deliveries are logged and can be asked for again', async (t) => {
  const receiver = await new Receiver().open(t);
  receiver.status = 500;
  const endpoint = await webhooks.createWebhookEndpoint({ endpointUrl: receiver.url, events: ['permission.created'] });
  t.after(() => webhooks.deleteWebhookEndpoint({ id: endpoint.id }));
  await authorization.createPermission({ slug: 'invoices:read', name: 'Read invoices' });
  await receiver.until(1);
  receiver.status = 200;

  const path = `/webhook_endpoints/${endpoint.id}/deliveries`;
  const { body: { data: [delivery] } } = await extension('GET', path);
  assert.equal(delivery.event, 'permission.created');
  const again = await extension('POST', `${path}/${delivery.id}/replay`);
  assert.equal(again.status, 201);
  const [first, second] = await receiver.until(2);
  assert.equal(second.body.toString(), first.body.toString());
  const range = await extension('POST', `/webhook_endpoints/${endpoint.id}/replay`, { range_start: delivery.created_at.slice(0, 10) });
  assert.deepEqual([range.status, range.body.queued], [202, 1]);
  const all = await receiver.until(3);
  for (const { body, headers } of all) {
    const { id } = await webhooks.constructEvent({ payload: body.toString(), sigHeader: headers['workos-signature'], secret: endpoint.secret });
    assert.equal(id, delivery.event_id);
  }
});

test('what becomes of groups and their members is delivered as the SDK reads it', async (t) => {
  const receiver = await new Receiver().open(t);
  const names = ['group.created', 'group.updated', 'group.member_added', 'group.member_removed', 'group.deleted', 'organization_membership.updated'];
  const endpoint = await webhooks.createWebhookEndpoint({ endpointUrl: receiver.url, events: names });
  t.after(() => webhooks.deleteWebhookEndpoint({ id: endpoint.id }));
  const { id: organizationId } = await organization();
  await authorization.createEnvironmentRole({ slug: 'writer', name: 'Writer' });
  assert.equal((await policy().setPriority(['writer', 'member'])).status, 200);
  const m = await member(organizationId);

  const group = await groups.createGroup({ organizationId, name: 'G' });
  const named = { organizationId, groupId: group.id };
  await groups.addOrganizationMembership({ ...named, organizationMembershipId: m.id });
  await authorization.createGroupRoleAssignment({ groupId: group.id, roleSlug: 'writer' });
  await eventually(async () => {
    const { data } = await events.listEvents({ events: ['organization_membership.updated'], organizationId });
    assert.equal(data.length, 1); // by a job
  });
  await groups.removeOrganizationMembership({ ...named, organizationMembershipId: m.id });
  await groups.updateGroup({ ...named, name: 'H' });
  await groups.deleteGroup(named);

  const told = await Promise.all((await receiver.until(7)).map(({ headers, body }) =>
    webhooks.constructEvent({ payload: body, sigHeader: headers['workos-signature'], secret: endpoint.secret })));
  const listed = (await events.listEvents({ events: names, organizationId })).data;
  const byId = (list) => [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(byId(told), byId(listed)); // deliveries have no order
  assert.deepEqual(byId(told).map(({ event, data }) => [event, data.role?.slug ?? data.name ?? data.organizationMembershipId]).sort(), [
    ['group.created', 'G'], ['group.deleted', 'H'], ['group.member_added', m.id], ['group.member_removed', m.id], ['group.updated', 'H'],
    ['organization_membership.updated', 'member'], ['organization_membership.updated', 'writer'],
  ]);
  assert.deepEqual(told.find(({ event }) => event === 'group.created').data, group);
});

test('an endpoint gets what it asked for, and nothing while it is disabled', async (t) => {
  const receiver = await new Receiver().open(t);
  const { id, secret } = await webhooks.createWebhookEndpoint({ endpointUrl: receiver.url, events: ['permission.created'] });
  t.after(() => webhooks.deleteWebhookEndpoint({ id }));
  const update = (change) => webhooks.updateWebhookEndpoint({ id, ...change });
  const off = await update({ status: 'disabled' });
  assert.deepEqual([off.status, off.endpointUrl, off.events, off.secret], ['disabled', receiver.url, ['permission.created'], secret], 'the rest stays');
  await authorization.createPermission({ slug: 'unheard', name: 'Unheard' });
  await update({ status: 'enabled' });
  await authorization.createPermission({ slug: 'heard', name: 'Heard' });
  await receiver.until(1); // what nobody asks for any more is not sent
  await update({ events: ['permission.updated'] });
  await authorization.createPermission({ slug: 'unasked', name: 'Unasked' });
  await authorization.updatePermission('unasked', { name: 'Asked' });

  const all = await receiver.until(2);
  const told = await Promise.all(all.map(({ headers, body }) =>
    webhooks.constructEvent({ payload: body.toString(), sigHeader: headers['workos-signature'], secret })));
  assert.deepEqual(told.map(({ event, data }) => `${event} ${data.slug}`).sort(), ['permission.created heard', 'permission.updated unasked']);

  const page = await webhooks.listWebhookEndpoints({ limit: 1 });
  assert.deepEqual([page.data.map((one) => one.id), page.listMetadata.after], [[id], null]);
  for (const change of [{ status: 'asleep' }, { events: [] }, { events: ['group.invented'] }, { endpointUrl: 'nonsense' }]) {
    await refused(update(change), UnprocessableEntityException);
  }
  await refused(webhooks.updateWebhookEndpoint({ id: 'we_01JZ0000000000000000000000', status: 'enabled' }), NotFoundException, { code: 'entity_not_found' });
});

test('an old or garbled signature is refused', async () => {
  const secret = 'whsec_x';
  const payload = JSON.stringify({ id: 'event_1', event: 'role.deleted', created_at: '2026-01-01T00:00:00.000Z', data: { slug: 'x' } });
  const signed = async (at) => `t=${at}, v1=${await webhooks.computeSignature(at, payload, secret)}`;
  const now = Date.now();
  assert.equal((await webhooks.constructEvent({ payload, sigHeader: await signed(now), secret })).event, 'role.deleted');
  const old = await signed(now - 200_000);
  await assert.rejects(webhooks.constructEvent({ payload, sigHeader: old, secret }), SignatureVerificationException);
  assert.equal((await webhooks.constructEvent({ payload, sigHeader: old, secret, tolerance: 600_000 })).id, 'event_1');
  for (const sigHeader of ['', 'x', `t=${now}`, `v1=${'0'.repeat(64)}`]) {
    await assert.rejects(webhooks.constructEvent({ payload, sigHeader, secret }), SignatureVerificationException);
  }
});
