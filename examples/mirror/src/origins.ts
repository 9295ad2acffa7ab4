// Two versions of an origin: the one in use, and the next one, which has its problems.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

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
  return { origin: addressOf(origin), shadow: addressOf(shadow), close: () => [origin, shadow].forEach(stop) };
}

function addressOf(origin: Server): string {
  return `127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

function startOrigin(answer: Answer): Promise<Server> {
  const origin = createServer((request, response) => {
    void text(request).then((content) => {
      const { status, body } = answer(`${request.method} ${request.url} ${content}`.trimEnd());
      response.writeHead(status).end(body);
    });
  });
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
