import { Socket } from 'node:net';
import { RawClient } from '@cirque/testing';
import type { InetAddress } from '@cirque/transport';
import { afterEach, expect, test, vi } from 'vitest';
import type { ServerApp } from '../app/server-app.ts';
import { silentLogger } from '../logger.ts';
import { bind } from './bind.ts';
import type { BoundListener } from './bound-listener.ts';
import { tcpEndpoint } from './endpoint.ts';
import type { OpenStreams } from './open-streams.ts';
import { ServiceConnections } from './service-connections.ts';
import { TransportStack } from './transport-stack.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Parts {
  readonly listener: BoundListener;
  readonly stack: TransportStack;
  readonly open: OpenStreams;
  readonly stopping: AbortController;
  readonly warn: ReturnType<typeof vi.fn>;
}

async function stackOf(app: ServerApp): Promise<Parts> {
  const endpoint = tcpEndpoint('127.0.0.1:0');
  const listener = await bind(endpoint);
  const stopping = new AbortController();
  const connections = new ServiceConnections('test', app);
  const { open } = connections;
  const warn = vi.fn();
  const logger = { ...silentLogger, warn };
  const stack = new TransportStack(endpoint, listener, {
    app,
    connections,
    logger,
    shutdown: stopping.signal,
    filter: undefined,
  });
  cleanups.push(() => {
    stack.stop();
    open.destroyAll();
  });
  return { listener, stack, open, warn, stopping };
}

test.each(['callback', 'duplex'] as const)('TransportStack survives accept errors and goes on (%s)', async (reads) => {
  const accepted = Promise.withResolvers<void>();
  const { listener, stack, warn } = await stackOf({ reads, processNew: () => accepted.resolve() });
  for (let round = 0; round < 3; round += 1) {
    listener.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[1]).toBe('a connection could not be accepted; the listener goes on');
  const client = await RawClient.connect({ port: (stack.address as InetAddress).port });
  cleanups.push(() => client.close());
  await accepted.promise;
});

test('TransportStack serves a connection that it was given with its stop, and tells the application', async () => {
  const events: string[] = [];
  const { listener, stack, open, stopping } = await stackOf({
    processNew: () => void events.push('new'),
    shutdownConnection: (stream) => {
      events.push('shutdown');
      stream.destroy();
    },
  });
  stopping.abort();
  stack.stop();
  const late = new Socket();
  const closed = new Promise((resolve) => late.once('close', resolve));
  listener.server.emit('connection', late);
  expect(events).toEqual(['new', 'shutdown']);
  await closed;
  expect(open.size).toBe(0);
});
