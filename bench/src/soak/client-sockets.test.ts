import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { acceptedConnections, countAccepted } from './client-sockets.ts';
import { WireConnection } from './wire-connection.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F90 0200007F:A1B3 08 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:1F90 0100007F:A1B4 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:A1B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4714 1 0000000000000000 20 4 30 10 -1
`;

test('countAccepted: neither listeners, nor the other side, nor what waits to be accepted, nor one twice', () => {
  expect(countAccepted(TABLE, 8080)).toBe(2);
  expect(countAccepted(TABLE, 8080, '127.0.0.2')).toBe(1);
  expect(countAccepted(TABLE, 8080, '127.0.0.3')).toBe(0);
  expect(countAccepted(TABLE, 80)).toBe(0);
});

test.skipIf(process.platform !== 'linux')('acceptedConnections: sees a connection of this process', async () => {
  const { promise: accepted, resolve } = Promise.withResolvers<void>();
  const server = createServer(() => resolve());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  const client = new WireConnection({ port });
  await accepted;
  expect(acceptedConnections(port)).toBe(1);
  client.destroy();
  server.close();
});
