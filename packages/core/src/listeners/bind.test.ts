import { createServer, type Server } from 'node:net';
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress } from '@cirque/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { bind, isAddressInUse } from './bind.ts';
import { tcpEndpoint } from './endpoint.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function occupy(): Promise<{ server: Server; text: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => server.close());
  return { server, text: `127.0.0.1:${(server.address() as { port: number }).port}` };
}

async function errorOf(promise: Promise<unknown>): Promise<CirqueError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!CirqueError.is(error)) throw new Error('expected a CirqueError');
  return error;
}

describe('bind', () => {
  test('bind replaces port 0 by the real port', async () => {
    const bound = await bind(tcpEndpoint('127.0.0.1:0'));
    cleanups.push(() => bound.close());
    expect((bound.address as InetAddress).port).toBeGreaterThan(0);
    expect(bound.server.listening).toBe(true);
    bound.close();
    expect(bound.server.listening).toBe(false);
  });

  test('bind says what is wrong with an address in use, and what would help', async () => {
    const { text } = await occupy();
    const error = await errorOf(bind(tcpEndpoint(text), { retry: false }));
    expect(error.type).toBe('BindError');
    expect(error.context).toBe(
      `cannot listen on ${text} (EADDRINUSE): something listens there already; stop it or choose another address`,
    );
    expect(isAddressInUse(error)).toBe(true);
  });

  test('bind tries again while the address is in use', async () => {
    const { server, text } = await occupy();
    const bound = bind(tcpEndpoint(text));
    setTimeout(() => server.close(), 50);
    const { address, close } = await bound;
    cleanups.push(close);
    expect(formatAddress(address)).toBe(text);
  });

  test('bind gives up waiting when it is told to stop', async () => {
    const { text } = await occupy();
    const stop = new AbortController();
    const started = performance.now();
    const error = errorOf(bind(tcpEndpoint(text), { signal: stop.signal }));
    setTimeout(() => stop.abort(), 20);
    expect((await error).type).toBe('BindError');
    expect(performance.now() - started).toBeLessThan(900);
  });

  test('bind does not wait for what will not get better', async () => {
    const started = performance.now();
    const error = await errorOf(bind(tcpEndpoint('192.0.2.77:0')));
    expect(error.context).toContain('(EADDRNOTAVAIL): this machine has no such address');
    expect(isAddressInUse(error)).toBe(false);
    expect(performance.now() - started).toBeLessThan(900);
  });
});
