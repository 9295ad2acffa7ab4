import { duplexPair } from '@cirque/testing';
import { Stream } from '@cirque/transport';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocateShared, type ThreadPlace } from '../service/thread-place.ts';
import { type ConnectionLimitOptions, resolveConnectionLimits } from './connection-limit-options.ts';
import { ConnectionLimits } from './connection-limits.ts';

function streamOf(remoteAddress: string | undefined): Stream {
  return new Stream(Object.assign(duplexPair()[1], { remoteAddress }), 'Downstream');
}

/** The limits of one service in each of its threads. */
function threadsOf(count: number, options: ConnectionLimitOptions): ConnectionLimits[] {
  const resolved = resolveConnectionLimits(options, true);
  const shared = allocateShared(new ConnectionLimits(resolved).sharedMemory(count));
  return Array.from({ length: count }, (_, index) => {
    const limits = new ConnectionLimits(resolved);
    limits.join({ index, count, row: index, rows: count, shared } satisfies ThreadPlace);
    return limits;
  });
}

describe('ConnectionLimits', () => {
  test('ConnectionLimits without limits admits everybody and shares nothing', () => {
    const [limits] = threadsOf(1, {}) as [ConnectionLimits];
    expect(limits.sharedMemory(4)).toEqual({});
    const stream = streamOf('192.0.2.1');
    expect([limits.admit(stream), limits.admitClient(stream)]).toEqual([true, true]);
    limits.closed(stream);
  });

  test.each([1, 2, 3])(
    'ConnectionLimits of %d threads agree with a model, whoever comes, goes and is replaced',
    (count) => {
      const step = fc.record({
        thread: fc.nat({ max: count - 1 }),
        client: fc.nat({ max: 3 }),
        what: fc.nat({ max: 3 }),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const threads = threadsOf(count, { maxConnections: 5, maxConnectionsPerClient: 2 });
          const open: {
            readonly limits: ConnectionLimits;
            stream: Stream;
            readonly client: number;
            readonly in: boolean;
          }[] = [];
          for (const { thread, client, what } of steps) {
            const limits = threads[thread] as ConnectionLimits;
            const inside = open.filter((one) => one.in);
            const one = open[client];
            if (what < 2) {
              const stream = streamOf(`192.0.2.${client}`);
              const has = inside.length < 5;
              expect(limits.admit(stream)).toBe(has);
              const may = has && inside.filter((other) => other.client === client).length < 2;
              if (has) expect(limits.admitClient(stream)).toBe(may);
              open.push({ limits, stream, client, in: may });
            } else if (what === 2 && one !== undefined) {
              one.limits.closed(one.stream);
              open.splice(client, 1);
            } else if (one !== undefined) {
              const next = streamOf(undefined);
              one.limits.moved(one.stream, next);
              one.stream = next;
            }
          }
          // Everybody leaves: all places are free again.
          for (const { limits, stream } of open) limits.closed(stream);
          const last = threads[count - 1] as ConnectionLimits;
          const fresh = Array.from({ length: 6 }, (_, index) => last.admit(streamOf(`192.0.2.${index}`)));
          expect(fresh).toEqual([true, true, true, true, true, false]);
        }),
        { numRuns: 50 },
      );
    },
  );

  test('ConnectionLimits counts no clients without address', () => {
    const [limits] = threadsOf(1, { maxConnectionsPerClient: 1 }) as [ConnectionLimits];
    expect([1, 2, 3].map(() => limits.admitClient(streamOf(undefined)))).toEqual([true, true, true]);
  });
});
