import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { LeakCheck, RawClient } from '@cirque/testing';
import { expect, test } from 'vitest';
import { closed } from './pairs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');

test('README shows the example that is type-checked', () => {
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
});

test('README’s example works', async () => {
  const check = LeakCheck.start();
  const { server } = await import('./fixtures/readme-example.ts');
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  const client = await RawClient.connect({ port: (server.address() as AddressInfo).port });
  const sent = 'x'.repeat(3_000_000);
  client.pause();
  void client.send(sent);
  await client.send('end');
  client.end();
  client.resume();
  expect(await client.waitForClose()).toBe('end');
  expect(client.text.length).toBe(sent.length + 3);
  await client.close();
  server.close();
  await closed(server);
  await check.assertClean();
});
