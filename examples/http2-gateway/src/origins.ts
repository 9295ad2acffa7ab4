// Two origins with TLS: one speaks HTTP/2, the other one is old.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { CertificateFiles } from '@cirque-example/certificates';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly modern: string;
  readonly old: string;
  close(): void;
}

export async function startOrigins({ certFile, keyFile }: CertificateFiles): Promise<Origins> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const modern = createSecureServer(pair, (request, response) => {
    response.end(`modern origin: ${request.method} ${request.url} by HTTP/${request.httpVersion}\n`);
  });
  const old = createServer(pair, (request, response) => {
    response.end(`old origin: ${request.method} ${request.url} by HTTP/${request.httpVersion}\n`);
  });
  const closers = await Promise.all([listen(modern), listen(old)]);
  return {
    modern: addressOf(modern),
    old: addressOf(old),
    close() {
      for (const close of closers) close();
    },
  };
}

function addressOf(origin: Server): string {
  return `127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

/** Answers how to stop it, connections included. */
function listen(origin: Server): Promise<() => void> {
  const sockets = new Set<Socket>();
  origin.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () =>
      resolve(() => {
        origin.close();
        for (const socket of sockets) socket.destroy();
      }),
    );
  });
}
