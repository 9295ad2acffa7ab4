import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionPool, type Poolable, PoolEntry } from './connection-pool.ts';

class Connection implements Poolable {
  readonly entry: PoolEntry<Connection>;
  evictions = 0;
  onEvicted: () => void = () => undefined;

  constructor(key: string) {
    this.entry = new PoolEntry(key, this);
  }

  evicted(): void {
    this.evictions += 1;
    this.onEvicted();
  }
}

test('ConnectionPool: the newest of a key comes first', () => {
  const pool = new ConnectionPool<Connection>(10);
  const [first, second, other] = [new Connection('a'), new Connection('a'), new Connection('b')];
  for (const one of [first, second, other]) pool.put(one.entry);
  expect([pool.get('a'), pool.get('a'), pool.get('a')]).toEqual([second, first, undefined]);
  expect(pool.get('b')).toBe(other);
  expect(pool.stats).toEqual({ idle: 0, hits: 3, misses: 1, evictions: 0 });
});

test('ConnectionPool: at the cap the least recently used of all keys goes', () => {
  const pool = new ConnectionPool<Connection>(2);
  const [first, second, third] = [new Connection('a'), new Connection('b'), new Connection('c')];
  for (const one of [first, second, third]) pool.put(one.entry);
  expect([first.evictions, second.evictions, third.evictions]).toEqual([1, 0, 0]);
  expect(pool.get('a')).toBeUndefined();
  expect(pool.stats).toEqual({ idle: 2, hits: 0, misses: 1, evictions: 1 });
});

test('ConnectionPool: a connection that was taken and put back is the most recently used', () => {
  const pool = new ConnectionPool<Connection>(2);
  const [first, second, third] = [new Connection('a'), new Connection('b'), new Connection('c')];
  pool.put(first.entry);
  pool.put(second.entry);
  pool.put((pool.get('a') as Connection).entry);
  pool.put(third.entry);
  expect([first.evictions, second.evictions, third.evictions]).toEqual([0, 1, 0]);
});

test('ConnectionPool: putting twice is putting once, as the newest', () => {
  const pool = new ConnectionPool<Connection>(10);
  const [first, second] = [new Connection('a'), new Connection('a')];
  for (const one of [first, second, first]) pool.put(one.entry);
  expect(pool.stats.idle).toBe(2);
  expect([pool.get('a'), pool.get('a'), pool.get('a')]).toEqual([first, second, undefined]);
});

test('ConnectionPool: of capacity 0 keeps nothing', () => {
  const pool = new ConnectionPool<Connection>(0);
  const connection = new Connection('a');
  pool.put(connection.entry);
  expect(connection.evictions).toBe(1);
  expect(pool.stats).toEqual({ idle: 0, hits: 0, misses: 0, evictions: 1 });
});

test('ConnectionPool: a removed connection is not evicted, and removing it again does nothing', () => {
  const pool = new ConnectionPool<Connection>(10);
  const connection = new Connection('a');
  pool.remove(connection.entry);
  pool.put(connection.entry);
  pool.remove(connection.entry);
  pool.remove(connection.entry);
  expect(connection.evictions).toBe(0);
  expect(pool.stats).toEqual({ idle: 0, hits: 0, misses: 0, evictions: 0 });
});

test('ConnectionPool: clear evicts everything once, oldest first', () => {
  const pool = new ConnectionPool<Connection>(10);
  const order: string[] = [];
  for (const key of ['a', 'b', 'a', 'c']) {
    const connection = new Connection(key);
    connection.onEvicted = () => order.push(key);
    pool.put(connection.entry);
  }
  pool.clear();
  pool.clear();
  expect(order).toEqual(['a', 'b', 'a', 'c']);
  expect(pool.stats).toMatchObject({ idle: 0, evictions: 4 });
});

test('ConnectionPool: an eviction may call back into the pool', () => {
  const pool = new ConnectionPool<Connection>(1);
  const [first, second, third] = [new Connection('a'), new Connection('a'), new Connection('a')];
  // As a session does: closing removes it, and a waiting request may give another connection back at once.
  first.onEvicted = () => {
    pool.remove(first.entry);
    pool.put(third.entry);
  };
  pool.put(first.entry);
  pool.put(second.entry);
  expect(pool.stats.idle).toBe(1);
  expect(pool.get('a')).toBe(third);
  expect(second.evictions).toBe(1);
});

test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('ConnectionPool: refuses a capacity of %d', (capacity) => {
  expect(() => new ConnectionPool(capacity)).toThrow(RangeError);
  expect(() => new ConnectionPool(capacity)).toThrow(`pool capacity is ${capacity}: expected an integer of at least 0`);
});

/** The same in the plainest form: a list, the most recently used at its end. */
class NaivePool {
  readonly #capacity: number;
  #list: Connection[] = [];
  hits = 0;
  misses = 0;
  evicted: Connection[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get idle(): number {
    return this.#list.length;
  }

  get(key: string): Connection | undefined {
    const found = this.#list.findLast((one) => one.entry.key === key);
    if (found === undefined) this.misses += 1;
    else this.hits += 1;
    this.remove(found);
    return found;
  }

  put(connection: Connection): void {
    this.remove(connection);
    this.#list.push(connection);
    if (this.#list.length > this.#capacity) this.evicted.push(this.#list.shift() as Connection);
  }

  remove(connection: Connection | undefined): void {
    this.#list = this.#list.filter((one) => one !== connection);
  }

  clear(): void {
    this.evicted.push(...this.#list.splice(0));
  }
}

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), index: fc.nat(11) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('get' as const), index: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), index: fc.nat(11) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), index: fc.constant(0) }) },
);

test('ConnectionPool: does as the naive model does, whatever the sequence', () => {
  fc.assert(
    fc.property(fc.nat(6), fc.array(operation, { maxLength: 200 }), (capacity, operations) => {
      const pool = new ConnectionPool<Connection>(capacity);
      const model = new NaivePool(capacity);
      const evicted: Connection[] = [];
      const connections = Array.from({ length: 12 }, (_, i) => new Connection('abc'[i % 3] as string));
      for (const one of connections) one.onEvicted = () => evicted.push(one);
      for (const { kind, index } of operations) {
        const connection = connections[index] as Connection;
        if (kind === 'get') {
          const key = 'abcd'[index] as string;
          expect(pool.get(key)).toBe(model.get(key));
        } else if (kind === 'put') {
          pool.put(connection.entry);
          model.put(connection);
        } else if (kind === 'remove') {
          pool.remove(connection.entry);
          model.remove(connection);
        } else {
          pool.clear();
          model.clear();
        }
        expect(evicted).toEqual(model.evicted);
        expect(pool.stats).toEqual({
          idle: model.idle,
          hits: model.hits,
          misses: model.misses,
          evictions: model.evicted.length,
        });
      }
    }),
    { numRuns: 300 },
  );
});

test('ConnectionPool: getting, putting and removing cost the same with 100 and with 10,000 connections', () => {
  // Counted in visited entries, not in time: every link of an entry goes through an accessor.
  const visits = (size: number): number => {
    const pool = new ConnectionPool<Connection>(size + 1);
    const connections = Array.from({ length: size }, () => new Connection('a'));
    for (const one of connections) pool.put(one.entry);
    let count = 0;
    for (const { entry } of connections) {
      for (const link of ['older', 'newer', 'olderOfKey', 'newerOfKey'] as const) {
        let value = entry[link];
        Object.defineProperty(entry, link, {
          get: () => {
            count += 1;
            return value;
          },
          set: (next) => {
            count += 1;
            value = next;
          },
        });
      }
    }
    pool.remove((connections[size >> 1] as Connection).entry);
    pool.put((pool.get('a') as Connection).entry);
    pool.put(new Connection('b').entry);
    return count;
  };
  expect(visits(10_000)).toBe(visits(100));
});
