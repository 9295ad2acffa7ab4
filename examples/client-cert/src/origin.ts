// The origin of the example: says who asks for what.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    response.end(`${request.url} for ${request.headers['x-user']}\n`);
  });
  return runOrigin(origin);
}
