/**
 * Proxies in memory for the tests of this package, closed after each test, which fails when anything is left.
 */
import { HttpPeer } from '@cirque/pool';
import { afterEach, expect } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';
import { createTestProxy, type TestProxy, type TestProxySettings } from '../src/testing.ts';

/** Where the tests' peers are said to be; nothing is ever connected to. */
export const peer: HttpPeer = new HttpPeer('10.0.0.1:80');
export const otherPeer: HttpPeer = new HttpPeer('10.0.0.2:80');

const open: TestProxy[] = [];

/** A test proxy of phases of which all may be left out. The context is an object that records what phases put there. */
export function openProxy<Ctx = Record<string, unknown>>(
  phases: Partial<ProxyPhases<Ctx>> = {},
  settings: TestProxySettings = {},
): TestProxy {
  const complete = { newCtx: () => ({}), upstreamPeer: () => peer, ...phases } as ProxyPhases<Ctx>;
  const proxy = createTestProxy(complete, settings);
  open.push(proxy);
  return proxy;
}

afterEach(async () => {
  for (const proxy of open.splice(0)) {
    await proxy.close();
    expect(proxy.stats.active, 'requests under way at the end').toBe(0);
    expect(proxy.stats.upstream.active, 'upstream connections in use at the end').toBe(0);
    expect(proxy.upstream.problems, 'problems of the upstream').toEqual([]);
    expect(proxy.clock.wheel.size, 'timers at the end').toBe(0);
  }
});
