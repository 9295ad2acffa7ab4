// An origin for the example: JSON with something to hide, sent in two pieces, and a text.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

const PEOPLE = JSON.stringify([
  { name: 'Ada', mail: 'ada@example.com' },
  { name: 'Grace', mail: 'grace@example.com' },
]);

export function startOrigin(): Promise<Origin> {
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
  return runOrigin(origin);
}
