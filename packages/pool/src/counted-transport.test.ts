import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { duplexPair } from '@cirque/testing';
import { Stream } from '@cirque/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { exchange, exchangeOn } from '../test/exchange.ts';
import { memoryNetwork, settle } from '../test/memory-network.ts';
import { CountedTransport } from './counted-transport.ts';
import { type ConnectMessage, POOL_CHANNELS } from './diagnostics.ts';
import { HttpPeer } from './peer.ts';
import { PeerTable } from './peer-counters.ts';
import type { TransportConnector } from './transport-connector.ts';

const PEER = new HttpPeer('origin:80', { readTimeoutMs: 1_000 });

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

/** Notes what is published, by the last part of the name. */
function watch(): { readonly names: string[]; readonly messages: ConnectMessage[] } {
  const seen: { names: string[]; messages: ConnectMessage[] } = { names: [], messages: [] };
  for (const [name, channel] of Object.entries(POOL_CHANNELS)) {
    const listener = (message: unknown): void => {
      seen.names.push(name);
      seen.messages.push(message as ConnectMessage);
    };
    subscribe(channel, listener);
    undo.push(() => unsubscribe(channel, listener));
  }
  return seen;
}

describe('CountedTransport publishes', () => {
  test('the life of a connection, with the same object', async () => {
    const seen = watch();
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    await exchange(network.connector, PEER);
    expect(seen.names).toEqual(['connectStart', 'connectEnd']);
    network.connector.close();
    await settle();
    expect(seen.names).toEqual(['connectStart', 'connectEnd', 'connectionClose']);
    expect(new Set(seen.messages).size).toBe(1);
    const [message] = seen.messages;
    expect(message).toMatchObject({ peer: PEER, digest: { establishedAt: expect.any(Number) } });
    expect(message?.endedAt).toBeGreaterThanOrEqual(message?.startedAt as number);
    expect(message).not.toHaveProperty('error');
  });

  test('an attempt that fails', async () => {
    const seen = watch();
    const network = memoryNetwork();
    network.beforeConnect = () => Promise.reject(new Error('no way'));
    await expect(exchange(network.connector, PEER)).rejects.toMatchObject({ type: 'ConnectError' });
    expect(seen.names).toEqual(['connectStart', 'connectError']);
    expect(seen.messages[1]).toMatchObject({ peer: PEER, error: { type: 'ConnectError' } });
    network.connector.close();
  });

  test('the close of a connection to who came later', async () => {
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    const seen = watch();
    network.connections[0]?.stream.end();
    await settle();
    expect(seen.names).toEqual(['connectionClose']);
    expect(seen.messages[0]).toMatchObject({ peer: PEER, digest: { establishedAt: expect.any(Number) } });
    network.connector.close();
  });
});

describe('HttpConnector counts by peer', () => {
  test('connections and requests', async () => {
    const network = memoryNetwork();
    const other = new HttpPeer('origin:80', { tcpKeepAlive: { idleMs: 1_000 } });
    await exchange(network.connector, PEER);
    await exchange(network.connector, other);
    const busy = await network.connector.getSession(PEER);
    const row = { requests: 3, active: 1, connections: 2, connects: 2, connectFailures: 0 };
    expect(network.connector.stats).toMatchObject({ connects: 2, reused: 1, peers: { 'origin:80': row } });
    busy.release();
    network.connector.close();
    await settle();
    expect(network.connector.stats.peers['origin:80']).toMatchObject({ requests: 3, active: 0, connections: 0 });
  });

  test('attempts that fail, but not those that were given up', async () => {
    const network = memoryNetwork();
    network.beforeConnect = () => Promise.reject(new Error('no way'));
    await expect(exchange(network.connector, PEER)).rejects.toThrow();
    network.beforeConnect = () => new Promise(() => undefined);
    const controller = new AbortController();
    const waiting = exchange(network.connector, PEER, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow();
    expect(network.connector.stats).toMatchObject({ connects: 0, connectFailures: 1 });
    expect(network.connector.stats.peers['origin:80']).toMatchObject({ requests: 0, connects: 0, connectFailures: 1 });
    network.connector.close();
  });

  test('responses of 500 and above, what broke, and what took too long', async () => {
    const network = memoryNetwork();
    network.answer = () => 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
    expect(await exchange(network.connector, PEER)).toMatchObject({ status: 503 });
    network.answer = (far) => void far.stream.destroy();
    await expect(exchange(network.connector, PEER)).rejects.toThrow();
    network.answer = () => undefined;
    const session = await network.connector.getSession(PEER);
    const slow = exchangeOn(session);
    await settle();
    network.clock.advance(1_000);
    await expect(slow).rejects.toMatchObject({ type: 'ReadTimedout' });
    await settle();
    expect(network.connector.stats.peers['origin:80']).toEqual({
      requests: 3,
      active: 0,
      connections: 0,
      connects: 2,
      connectFailures: 0,
      responses5xx: 1,
      resets: 1,
      timeouts: 1,
    });
    network.connector.close();
  });

  test('tunnels', async () => {
    const network = memoryNetwork();
    const tunnel = await network.connector.openTunnel(PEER);
    expect(network.connector.stats).toMatchObject({ active: 1, connects: 1 });
    expect(network.connector.stats.peers['origin:80']).toMatchObject({ requests: 1, active: 1, connections: 1 });
    tunnel.abort();
    await settle();
    expect(network.connector.stats.peers['origin:80']).toMatchObject({ requests: 1, active: 0, connections: 0 });
    network.connector.close();
  });
});

test('CountedTransport notices a connection that has closed before it was handed out', async () => {
  const [near] = duplexPair();
  const closed = new Promise((resolve) => near.once('close', resolve));
  near.destroy();
  await closed;
  const peers = new PeerTable();
  const stream = new Stream(near, 'Upstream');
  const counted = new CountedTransport(
    { newStream: () => Promise.resolve(stream) } as unknown as TransportConnector,
    peers,
  );
  await counted.newStream(PEER, undefined, undefined);
  expect(peers.of(PEER.address)).toMatchObject({ connects: 1, connections: 0 });
});
