import http from 'node:http';

import { address } from './rolecall.mjs';

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
