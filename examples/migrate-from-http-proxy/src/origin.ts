// The origin of the example: says how it is asked, says more of itself than it should, and does not like everything.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

export async function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    const { 'x-special': special = 'no', 'x-forwarded-for': client } = request.headers;
    if (request.url === '/crash') request.socket.destroy();
    response.setHeader('X-Powered-By', 'something with holes');
    response.end(`${request.method} ${request.url} for ${client}, special: ${special}\n`);
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
