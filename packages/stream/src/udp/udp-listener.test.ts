import { createSocket, type RemoteInfo } from 'node:dgram';
import { silentLogger } from '@cirque/core';
import { afterEach, expect, test } from 'vitest';
import { resolveUdpOptions } from '../udp-options.ts';
import { Flows } from './flows.ts';
import { resolveUdpHooks } from './udp-hooks.ts';
import { UdpListener } from './udp-listener.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test('UdpListener drops what comes from port 0: nothing can be sent there, and trying to would throw', () => {
  const asked: number[] = [];
  const hooks = resolveUdpHooks({
    newCtx: () => undefined,
    upstreamPeer: (session) => {
      asked.push(session.clientAddress.port);
      return new Promise<never>(() => {});
    },
  });
  // As with several threads: a client gets a socket of its own at once.
  const plan = { maxSessions: 10, maxSockets: 10, ownSockets: true, ownSocketFrom: 1 as const };
  const flows = new Flows({ service: 'test', options: resolveUdpOptions({}), hooks, plan, logger: silentLogger });
  const socket = createSocket('udp4');
  const bound = { socket, address: { host: '127.0.0.1', port: 9 }, close: () => void socket.close() };
  const listener = new UdpListener(bound, false, flows);
  closing.push(() => {
    flows.finishAll('closed');
    listener.close();
  });
  const from = (port: number): RemoteInfo => ({ address: '127.0.0.2', port, family: 'IPv4', size: 1 });
  for (let count = 0; count < 3; count += 1) listener.dispatch(Buffer.from('x'), from(0));
  expect(flows.stats()).toMatchObject({ sessions: { opened: 0 }, datagrams: { dropped: { noPort: 3 } } });
  flows.finishAll('closed');
  expect(asked).toEqual([]);
});
