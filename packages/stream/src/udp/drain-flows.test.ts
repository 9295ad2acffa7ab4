import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { silentLogger } from '@cirque/core';
import { afterEach, expect, test } from 'vitest';
import { resolveUdpOptions } from '../udp-options.ts';
import { drainFlows } from './drain-flows.ts';
import { Flows } from './flows.ts';
import { resolveUdpHooks } from './udp-hooks.ts';
import { UdpListener } from './udp-listener.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A service whose sessions wait for an upstream for ever, so that they need no other sockets than those of clients. */
async function receiving() {
  const hooks = resolveUdpHooks({ newCtx: () => undefined, upstreamPeer: () => new Promise<never>(() => {}) });
  const ownSockets = process.platform === 'linux';
  const plan = { maxSessions: 5_000, maxSockets: 10_000, ownSockets, ownSocketFrom: 2 as const };
  const flows = new Flows({ service: 'test', options: resolveUdpOptions({}), hooks, plan, logger: silentLogger });
  const socket = createSocket({ type: 'udp4', reusePort: ownSockets });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const address = { host: '127.0.0.1', port: socket.address().port };
  const open = { yet: true };
  const close = (): void => {
    open.yet = false;
    socket.close();
  };
  const listener = new UdpListener({ socket, address, close }, false, flows);
  closing.push(() => {
    flows.finishAll('closed');
    listener.close();
  });
  let clients = 0;
  /** The first datagram of a client that was not there before. */
  const newClient = (): void => {
    clients += 1;
    listener.dispatch(Buffer.from('x'), { address: '127.0.0.2', port: 1_024 + clients, family: 'IPv4', size: 1 });
  };
  return { flows, listener, open, newClient };
}

test('drainFlows stops receiving also where new clients come in every turn of the loop', async () => {
  const { flows, listener, open, newClient } = await receiving();
  for (let count = 0; count < 300; count += 1) newClient();
  let turns = 0;
  const keepComing = (): void => {
    turns += 1;
    newClient();
    if (turns < 500 && open.yet) setImmediate(keepComing);
  };
  setImmediate(keepComing);
  const fast = new AbortController();
  const drained = drainFlows(flows, [listener], fast.signal);
  while (open.yet && turns < 500) await new Promise((resolve) => setImmediate(resolve));
  expect(open.yet).toBe(false);
  expect(turns).toBeLessThan(50);
  if (process.platform === 'linux') expect(flows.stats()).toMatchObject({ sessions: { ownSockets: 300 + turns } });
  fast.abort();
  await drained;
  expect(flows.size).toBe(0);
});
