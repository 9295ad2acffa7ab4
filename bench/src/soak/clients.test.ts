/** The clients of the soak against a server of this process. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { clientHello } from './client-hello.ts';
import { CrowdMember } from './crowd-member.ts';
import { quantile, SteadyClients } from './steady-clients.ts';

const servers: Server[] = [];
const members: CrowdMember[] = [];
const accepted: Socket[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.leave();
  for (const socket of accepted.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5);
}

function join(port: number, more: Partial<ConstructorParameters<typeof CrowdMember>[0]> = {}): CrowdMember {
  const member = new CrowdMember({ port, count: 1, perSecond: 1, send: 'hello', ...more });
  members.push(member);
  return member;
}

test('CrowdMember: drips until it is answered, and remembers status and end', async () => {
  let received = '';
  const port = await listen(
    createServer((socket) => {
      socket.on('data', (piece) => {
        received += piece.toString();
        if (received.endsWith('xxx')) socket.end('HTTP/1.1 408 Request Timeout\r\n\r\n');
      });
    }),
  );
  const member = join(port, { drip: { text: 'x', everyMs: 5 } });
  await until(() => member.closedAt !== undefined);
  expect(received).toBe('helloxxx');
  expect(member).toMatchObject({ status: '408', isOpen: false });
  expect(member.answeredAt).toBeGreaterThanOrEqual(member.connectedAt as number);
});

test('CrowdMember: one that reads nothing leaves the bytes in the kernel', async () => {
  const port = await listen(createServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n')));
  const [reading, stalled] = [join(port), join(port, { read: 'none' })];
  await until(() => reading.status === '200' && stalled.connectedAt !== undefined);
  expect(stalled).toMatchObject({ status: undefined, receivedBytes: 0, isOpen: true });
});

test('CrowdMember: one that sips takes its bytes piece by piece', async () => {
  const port = await listen(createServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n')));
  const member = join(port, { read: { bytes: 12, everyMs: 5 } });
  await until(() => member.receivedBytes === 19);
  expect(member.status).toBe('200');
});

test('CrowdMember: a refused connection is closed without having been there', async () => {
  const port = await listen(createServer());
  const server = servers.pop() as Server;
  server.close();
  await once(server, 'close');
  const member = join(port);
  await until(() => member.closedAt !== undefined);
  expect(member).toMatchObject({ connectedAt: undefined, errorCode: 'ECONNREFUSED' });
});

test('SteadyClients: counts answers, and every other outcome as an error', async () => {
  let requests = 0;
  const port = await listen(
    createHttpServer((_request, response) => {
      response.statusCode = ++requests === 3 ? 502 : 200;
      if (requests === 5) response.destroy();
      else response.end('ok');
    }),
  );
  const clients = SteadyClients.start({ port, path: '/', clients: 1, perSecond: 1_000 });
  await until(() => clients.seen().requests >= 10);
  await clients.stop();
  const { errors, reasons, p50Ms, maxMs } = clients.seen();
  expect(reasons).toEqual(['answered 502', 'closed before the answer']);
  expect(errors).toBe(2);
  expect(p50Ms).toBeGreaterThan(0);
  expect(maxMs).toBeGreaterThanOrEqual(p50Ms);
});

test('quantile: the least value that so many do not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([50, 99, 100]);
  expect(quantile([], 0.5)).toBe(0);
});

test('clientHello: a handshake record with a ClientHello', async () => {
  const hello = Buffer.from(await clientHello(), 'latin1');
  expect([hello[0], hello[5]]).toEqual([22, 1]);
  expect(hello.readUInt16BE(3)).toBe(hello.length - 5);
});
