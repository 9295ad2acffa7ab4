/**
 * What a request pays the pool: making its peer, finding a connection, giving it back.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { duplexPair } from '@cirque/testing';
import { test } from 'vitest';

const pool = createRequire(import.meta.url)('../src/index.ts') as typeof import('../src/index.ts');
const { ConnectionPool, HttpConnector, HttpPeer, PoolEntry } = pool;

const short = { time: 200, warmupTime: 50 };
const ROUNDS = 1_000;

/** A thousand calls per sample, so that the measuring itself does not count. */
function thousand(one: (i: number) => void): () => void {
  return () => {
    for (let i = 0; i < ROUNDS; i += 1) one(i);
  };
}

class Connection {
  readonly entry: InstanceType<typeof PoolEntry<Connection>>;

  constructor(key: string) {
    this.entry = new PoolEntry<Connection>(key, this);
  }

  evicted(): void {}
}

function filled(keys: number, perKey: number): InstanceType<typeof ConnectionPool<Connection>> {
  const filledPool = new ConnectionPool<Connection>(keys * perKey);
  for (let i = 0; i < keys * perKey; i += 1) filledPool.put(new Connection(keyOf(i % keys)).entry);
  return filledPool;
}

function keyOf(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:443`;
}

test('1,000 times get and put', async ({ bench }) => {
  const sizes = [
    [1, 1],
    [1, 128],
    [128, 1],
    [1_000, 100],
  ] as const;
  await bench.compare(
    ...sizes.map(([keys, perKey]) => {
      const filledPool = filled(keys, perKey);
      const names = Array.from({ length: keys }, (_, i) => keyOf(i));
      return bench(
        `${keys} keys, ${perKey} connections each`,
        thousand((i) => filledPool.put((filledPool.get(names[(i * 7) % keys] as string) as Connection).entry)),
      );
    }),
    bench(
      'put at the cap, evicting another',
      (() => {
        const full = filled(1, 128);
        const spare = Array.from({ length: 256 }, () => new Connection('spare'));
        return thousand((i) => full.put((spare[i & 255] as Connection).entry));
      })(),
    ),
    short,
  );
});

test('1,000 peers', async ({ bench }) => {
  const address = { host: '10.0.0.1', port: 443 };
  let keys = 0;
  await bench.compare(
    bench(
      'of the same address object',
      thousand(() => {
        keys += new HttpPeer(address).reuseKey.length;
      }),
    ),
    bench(
      'of the same address object, with two options',
      thousand(() => {
        keys += new HttpPeer(address, { connectionTimeoutMs: 400, readTimeoutMs: 5_000 }).reuseKey.length;
      }),
    ),
    bench(
      'of the same address object, with a group key',
      thousand(() => {
        keys += new HttpPeer(address, { groupKey: 'blue' }).reuseKey.length;
      }),
    ),
    bench(
      'of text',
      thousand(() => {
        keys += new HttpPeer('10.0.0.1:443').reuseKey.length;
      }),
    ),
    short,
  );
  if (keys === 0) throw new Error('the engine left the calls out');
});

test('1,000 sessions taken from the connector and given back', async ({ bench }) => {
  const connector = new HttpConnector();
  const customConnect = async (): Promise<ReturnType<typeof duplexPair>[0]> => duplexPair()[0];
  const peer = new HttpPeer('10.0.0.1:443', { customConnect });
  (await connector.getSession(peer)).release();
  await bench(
    'getSession and release',
    thousand(() => {
      (connector.getSession(peer) as Exclude<ReturnType<typeof connector.getSession>, Promise<unknown>>).release();
    }),
  ).run(short);
  connector.close();
});
