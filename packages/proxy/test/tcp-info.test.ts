import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpPeer } from '@cirque/pool';
import { LeakCheck, RawClient, TestOrigin, type TestOriginOptions } from '@cirque/testing';
import type { Digest } from '@cirque/transport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineProxy } from '../src/proxy-http.ts';
import { listen } from './listening-proxy.ts';

let leaks: LeakCheck;
let cleanup: (() => unknown)[] = [];
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of cleanup.reverse()) await close();
  cleanup = [];
  await leaks.assertClean();
});

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** What the connection of one request was found to be, when it was there. */
async function infoOf(options: TestOriginOptions): Promise<ReturnType<Digest['tcpInfo']>> {
  const origin = await TestOrigin.listen([{ repeat: [{ expect: '\r\n\r\n' }, { send: ANSWER }] }], options);
  cleanup.push(() => origin.close());
  let info: ReturnType<Digest['tcpInfo']>;
  const proxy = await listen(
    defineProxy({
      upstreamPeer: () => new HttpPeer(origin.address),
      connectedToUpstream: (_session, _reused, _peer, digest) => {
        info = digest.tcpInfo();
      },
    }),
  );
  cleanup.push(() => proxy.close());
  const client = await RawClient.connect({ port: proxy.port });
  cleanup.push(() => client.close());
  await client.send('GET / HTTP/1.1\r\nHost: front.example\r\nConnection: close\r\n\r\n');
  await client.waitForClose();
  expect(client.text).toMatch(/^HTTP\/1\.1 200 OK/);
  return info;
}

test('connectedToUpstream can read the round-trip time to the upstream', async () => {
  const info = await infoOf({});
  expect(info?.rttMicros).toBeGreaterThan(0);
  expect(info?.sendMss).toBeGreaterThan(0);
});

test('connectedToUpstream finds no such thing on a unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
  cleanup.push(() => rmSync(folder, { recursive: true }));
  expect(await infoOf({ path: join(folder, 's') })).toBeUndefined();
});
