import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import {
  ConflictException, NotFoundException, SignatureVerificationException, UnprocessableEntityException,
} from '@workos-inc/node';

import { authorization, events, extension, organization, refused, workos } from './rolecall.mjs';

const { webhooks } = workos;

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
