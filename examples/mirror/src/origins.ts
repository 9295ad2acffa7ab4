// Two versions of an origin: the one in use, and the next one, which has its problems.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { closeAll, type Origin, runOrigin } from '@cirque-example/origins';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly origin: string;
  readonly shadow: string;
  close(): void;
}

/** Gets method, path and body of a request in one line. */
type Answer = (what: string) => { readonly status: number; readonly body: string };

export async function startOrigins(): Promise<Origins> {
  const origin = await startOrigin((what) => ({ status: 200, body: `version 1 got ${what}\n` }));
  const shadow = await startOrigin((what) => {
    console.log(`version 2 got ${what}`);
    return { status: what.includes('/old') ? 500 : 200, body: 'nobody reads this' };
  });
  return {
    origin: origin.address,
    shadow: shadow.address,
    close: closeAll([origin, shadow]),
  };
}

function startOrigin(answer: Answer): Promise<Origin> {
  const origin = createServer((request, response) => {
    void text(request).then((content) => {
      const { status, body } = answer(`${request.method} ${request.url} ${content}`.trimEnd());
      response.writeHead(status).end(body);
    });
  });
  return runOrigin(origin);
}
