import assert from 'node:assert/strict';
import http from 'node:http';

import { address, client } from './rolecall.mjs';

// lossy starts a proxy on loopback that loses the answers chosen by lose: the
// server has carried the request out and answered, and then the connection to
// the client breaks. What passed through is in requests. Close it after use.
export async function lossy(lose) {
  const requests = [];
  const proxy = http.createServer((incoming, outgoing) => {
    const seen = {
      method: incoming.method,
      path: incoming.url,
      key: incoming.headers['idempotency-key'],
    };
    const upstream = http.request(
      {
        host: address.hostname,
        port: address.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (answer) => {
        const body = [];
        answer.on('data', (chunk) => body.push(chunk));
        answer.on('end', () => {
          Object.assign(seen, {
            status: answer.statusCode,
            replayed: answer.headers['idempotent-replayed'] === 'true',
            body: Buffer.concat(body).toString(),
          });
          requests.push(seen);
          if (lose(seen, requests.length)) {
            seen.lost = true;
            incoming.socket.destroy();
            return;
          }
          outgoing.writeHead(answer.statusCode, answer.headers);
          outgoing.end(Buffer.concat(body));
        });
      },
    );
    upstream.on('error', (error) => incoming.socket.destroy(error));
    incoming.pipe(upstream);
  });
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    port: proxy.address().port,
    requests,
    close() {
      proxy.closeAllConnections();
      return new Promise((closed) => proxy.close(closed));
    },
  };
}

// lostOnce runs a call of the SDK whose first answer gets lost on its way back,
// and returns the result with the two requests that the server saw.
export async function lostOnce(call) {
  const proxy = await lossy((_, n) => n === 1);
  try {
    const result = await call(client({ port: proxy.port }))
      .finally(() => assert.equal(proxy.requests.length, 2, 'the SDK tries again, once'));
    const [first, second] = proxy.requests;
    assert.equal(first.lost, true);
    assert.equal(second.path, first.path);
    return { result, first, second };
  } finally {
    await proxy.close();
  }
}

// replayed asserts that the second request was answered with the first answer.
export function replayed({ first, second }) {
  assert.match(first.key, /^retry-/);
  assert.equal(second.key, first.key);
  assert.equal(first.status, 201);
  assert.equal(first.replayed, false);
  assert.equal(second.replayed, true);
  assert.deepEqual([second.status, second.body], [first.status, first.body]);
}
