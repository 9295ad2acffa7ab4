// An origin for the example: JSON with something to hide, sent in two pieces, and a text.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const PEOPLE = JSON.stringify([
  { name: 'Ada', mail: 'ada@example.com' },
  { name: 'Grace', mail: 'grace@example.com' },
]);

export async function startOrigin(): Promise<{ readonly address: string; close(): void }> {
  const origin = createServer((request, response) => {
    if (request.url !== '/people') {
      response.setHeader('Content-Type', 'text/plain');
      response.end('write to ada@example.com\n');
      return;
    }
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(PEOPLE));
    response.write(PEOPLE.slice(0, 20));
    setTimeout(() => response.end(PEOPLE.slice(20)), 50);
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  return {
    address: `127.0.0.1:${(origin.address() as AddressInfo).port}`,
    close: () => {
      origin.close();
      origin.closeAllConnections();
    },
  };
}
