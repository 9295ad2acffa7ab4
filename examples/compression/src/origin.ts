// The origin of the example: knows nothing of compression. It has a list, a picture, and a place to post to.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

const LIST = JSON.stringify(Array.from({ length: 1_000 }, (_, id) => ({ id, name: `thing number ${id}`, price: 9.5 })));

const answer: RequestListener = (request, response) => {
  if (request.method === 'POST') {
    const { 'content-encoding': coding = 'none' } = request.headers;
    void buffer(request).then((body) => response.end(`got ${body.length} bytes, coding: ${coding}\n`));
  } else if (request.url === '/list') {
    response.setHeader('Content-Type', 'application/json').setHeader('ETag', '"v1"').end(LIST);
  } else {
    response.setHeader('Content-Type', 'image/png').end(Buffer.alloc(4_096));
  }
};

export async function startOrigin(): Promise<Origin> {
  const origin = createServer(answer);
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
