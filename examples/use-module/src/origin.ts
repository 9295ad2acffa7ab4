// The origin of the example: says who asks for what.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    const { 'x-user': user, authorization = 'none' } = request.headers;
    response.end(`${request.url} for ${user}, authorization: ${authorization}\n`);
  });
  return runOrigin(origin);
}
