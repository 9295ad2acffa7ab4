import { createSocket } from 'node:dgram';
import { silentLogger } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { FakeClock } from '@cirque/testing';
import { expect, test, vi } from 'vitest';
import { resolveUdpOptions } from '../udp-options.ts';
import { Flows } from './flows.ts';
import { resolveUdpHooks } from './udp-hooks.ts';
import { UdpListener } from './udp-listener.ts';

test('Flows writes one line a second about sessions that fail, however many do: one datagram is enough for each', () => {
  const errors = [CirqueError.upstream('ConnectNoRoute', 'no backend'), new Error('a mistake')];
  const phases = {
    newCtx: () => undefined,
    upstreamPeer: (): never => {
      throw errors[0] as Error;
    },
  };
  const clock = new FakeClock();
  const [warn, error] = [vi.fn(), vi.fn()];
  const plan = { maxSessions: 100, maxSockets: 100, ownSockets: false, ownSocketFrom: 2 as const };
  const options = resolveUdpOptions({ maxRetries: 0 });
  const logger = { ...silentLogger, warn, error };
  const flows = new Flows({ service: 'test', options, hooks: resolveUdpHooks(phases), plan, logger, clock });
  const socket = createSocket('udp4');
  const address = { host: '127.0.0.1', port: 1 };
  const listener = new UdpListener({ socket, address, close: () => socket.close() }, false, flows);
  const fail = (count: number): void => {
    for (let port = 1; port <= count; port += 1)
      listener.dispatch(Buffer.from('x'), { address: '127.0.0.2', port, family: 'IPv4', size: 1 });
  };
  fail(50);
  errors.shift();
  fail(50);
  clock.advance(1_000);
  fail(1);
  expect(warn.mock.calls.map(([facts]) => facts.unlogged)).toEqual([0]);
  expect(error.mock.calls.map(([facts]) => facts.unlogged)).toEqual([0, 49]);
  expect(flows.stats()).toMatchObject({ sessions: { open: 0, opened: 101, closed: { error: 101 } } });
  flows.finishAll('closed');
  listener.close();
});
