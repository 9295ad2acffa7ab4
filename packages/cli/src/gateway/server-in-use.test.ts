import { describe, expect, it } from 'vitest';
import { groups, server, upstream } from '../../test/http-config.ts';
import type { UpstreamConfig } from '../config/gateway-config.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';
import { ServerInUse } from './server-in-use.ts';

const A = '10.0.0.1:1';
const B = '10.0.0.2:1';

function groupOf(more: Partial<UpstreamConfig> = {}, servers: Parameters<typeof upstream>[1] = [A, B]): UpstreamGroup {
  return groups(upstream('app', servers, more))('app');
}

function inFlight(group: UpstreamGroup): number {
  const all = Object.values(group.balancer.stats().byAddress) as { inFlight?: number }[];
  return all.reduce((sum, one) => sum + (one.inFlight ?? 0), 0);
}

function use(group: UpstreamGroup, address: string | undefined = '192.0.2.1'): ServerInUse {
  return new ServerInUse(group, { address, serverName: undefined });
}

/** Takes the next server at once. */
function next(one: ServerInUse): string {
  const pick = one.next(() => undefined);
  if (pick instanceof Promise) throw new Error('there was nobody at once');
  one.take(pick);
  return pick.backend.address;
}

describe('ServerInUse', () => {
  it('ServerInUse has no server twice after failures, and nobody in the end', () => {
    const group = groupOf();
    const one = use(group);
    const first = next(one);
    one.failed();
    const second = next(one);
    one.failed();
    expect([first, second].sort()).toEqual([A, B]);
    expect(one.failures).toBe(2);
    expect(() => one.next(() => undefined)).toThrow(/no backend in rotation/);
    expect(inFlight(group)).toBe(0);
  });

  it('ServerInUse holds one server at a time, and gives it back once', () => {
    const group = groupOf();
    const one = use(group);
    next(one);
    next(one);
    expect(inFlight(group)).toBe(1);
    one.done(true, 5);
    one.done(true, 5);
    expect(inFlight(group)).toBe(0);
    expect(one.failures).toBe(0);
  });

  it('ServerInUse tells the balancer of failures, and of nothing that is not known', () => {
    const passiveHealth = {
      consecutiveFailures: 1,
      errorRate: 0,
      minimumVolume: 20,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectedShare: 0.5,
    };
    const group = groupOf({ passiveHealth });
    const unknown = use(group);
    next(unknown);
    unknown.done(undefined);
    expect(group.balancer.stats().ejected).toBe(0);
    const failed = use(group);
    next(failed);
    failed.failed();
    expect(group.balancer.stats().ejected).toBe(1);
    group.dispose();
  });

  it('ServerInUse keeps a client at the server that it had, where the upstream says so, until that fails', () => {
    const group = groupOf({ sticky: { kind: 'source', ttlMs: 60_000, maxEntries: 10 } });
    const first = use(group);
    const address = next(first);
    first.settled();
    first.done(true);
    for (let round = 0; round < 4; round += 1) {
      const again = use(group);
      expect(next(again)).toBe(address);
      again.done(true);
    }
    const failing = use(group);
    next(failing);
    failing.failed();
    const other = next(failing);
    expect(other).not.toBe(address);
    failing.settled();
    failing.done(true);
    expect(next(use(group))).toBe(other);
    expect(use(group, undefined).next(() => undefined)).toMatchObject({ backend: expect.anything() });
  });

  it('ServerInUse waits where the upstream has a queue, until the client leaves', async () => {
    const group = groupOf({ queueSize: 1, queueTimeoutMs: 60_000 }, [server(A, { maxConnections: 1 })]);
    const first = use(group);
    next(first);
    const leaves = new AbortController();
    const waiting = use(group).next(() => leaves.signal);
    leaves.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    const second = use(group);
    const coming = second.next(() => new AbortController().signal);
    first.done(true);
    second.take(await coming);
    expect(inFlight(group)).toBe(1);
    second.done(true);
    expect(inFlight(group)).toBe(0);
  });
});
