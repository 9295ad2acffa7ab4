import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { Server, silentLogger } from '@cirque/core';
import { expect, test } from 'vitest';
import { bundled, closeAll, type Origin, runOrigin } from './index.ts';

const sayHello = (): Promise<Origin> => runOrigin(createServer((_request, response) => response.end('hello')));

test('runOrigin answers at its address, and close ends open connections too', async () => {
  const origin = await sayHello();
  expect(await (await fetch(`http://${origin.address}/`)).text()).toBe('hello');
  const [host = '', port] = origin.address.split(':');
  const idle = connect({ host, port: Number(port) });
  await once(idle, 'connect');
  origin.close();
  await once(idle, 'close');
  await expect(fetch(`http://${origin.address}/`)).rejects.toThrow('fetch failed');
});

test('closeAll closes each of them', async () => {
  const origins = [await sayHello(), await sayHello()];
  closeAll(origins)();
  for (const { address } of origins) await expect(fetch(`http://${address}/`)).rejects.toThrow('fetch failed');
});

test('bundled starts on the main thread, answers the facts alone, and closes when the server has stopped', async () => {
  const closed: string[] = [];
  const start = async () => ({ address: '127.0.0.1:1', close: () => void closed.push('closed') });
  const server = new Server({ logger: silentLogger });
  expect(await bundled(server, start)).toEqual({ address: '127.0.0.1:1' });
  const stop = new AbortController();
  const running = server.run({ signal: stop.signal });
  expect(closed).toEqual([]);
  stop.abort();
  await running;
  expect(closed).toEqual(['closed']);
});
