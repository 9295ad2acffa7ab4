// The origin of the example.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    response.end(`${request.method} ${request.url}\n`);
  });
  return runOrigin(origin);
}
