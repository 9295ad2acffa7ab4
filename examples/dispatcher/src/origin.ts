// The origin of the example: counts what it is asked, moves things around, and says what may be cached.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

export async function startOrigin(): Promise<Origin> {
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
  await new Promise<void>((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', resolve);
  });
  const { port } = origin.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close() {
      origin.close();
      origin.closeAllConnections();
    },
  };
}
