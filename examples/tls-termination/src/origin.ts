// The origin of the example: says how it was asked for.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

export async function startOrigin(): Promise<Origin> {
  const origin = createServer((request, response) => {
    const { host = '', 'x-forwarded-proto': scheme } = request.headers;
    response.end(`${request.url} of ${host.split(':')[0]}, asked for by ${scheme}\n`);
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
