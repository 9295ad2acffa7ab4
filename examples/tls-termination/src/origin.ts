// The origin of the example: says how it was asked for.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    const { host = '', 'x-forwarded-proto': scheme } = request.headers;
    response.end(`${request.url} of ${host.split(':')[0]}, asked for by ${scheme}\n`);
  });
  return runOrigin(origin);
}
