// The origin of the example: counts what it is asked, moves things around, and says what may be cached.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin(): Promise<Origin> {
  let requests = 0;
  const origin = createServer((request, response) => {
    requests += 1;
    if (request.url === '/old') {
      response.writeHead(302, { Location: '/new' }).end();
    } else {
      response.setHeader('Cache-Control', 'public, max-age=60');
      response.end(`${request.url} is answer number ${requests}\n`);
    }
  });
  return runOrigin(origin);
}
