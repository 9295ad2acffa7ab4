import { CirqueError } from '@cirque/error';
import { FakeClock } from '@cirque/testing';
import { expect, test } from 'vitest';
import { Resolver, type ResolverOptions } from './resolver.ts';

/** A resolver whose queries wait for the test. */
function scripted(options: ResolverOptions = {}): {
  resolver: Resolver;
  clock: FakeClock;
  queries: string[];
  answer(addresses: readonly string[] | Error): Promise<void>;
} {
  const clock = new FakeClock();
  const queries: string[] = [];
  const pending: PromiseWithResolvers<readonly string[]>[] = [];
  const resolver = new Resolver({
    now: () => clock.now(),
    lookup: (host) => {
      queries.push(host);
      const query = Promise.withResolvers<readonly string[]>();
      pending.push(query);
      return query.promise;
    },
    ...options,
  });
  const answer = async (addresses: readonly string[] | Error): Promise<void> => {
    const query = pending.shift() as PromiseWithResolvers<readonly string[]>;
    if (addresses instanceof Error) query.reject(addresses);
    else query.resolve(addresses);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { resolver, clock, queries, answer };
}

test.each(['127.0.0.1', '::1', 'fe80::1%lo'])('Resolver: %s is its own answer', (address) => {
  const { resolver, queries } = scripted();
  expect(resolver.resolve(address)).toEqual([address]);
  expect(queries).toEqual([]);
});

test('Resolver: a fresh answer is used without a query, and without a promise', async () => {
  const { resolver, clock, queries, answer } = scripted({ ttlMs: 1_000 });
  const first = resolver.resolve('name');
  await answer(['127.0.0.1', '::1']);
  expect(await first).toEqual(['127.0.0.1', '::1']);
  clock.advance(999);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1', '::1']);
  expect(queries).toEqual(['name']);
});

test('Resolver: those who ask for a name at the same time share one query', async () => {
  const { resolver, queries, answer } = scripted();
  const asked = Promise.all([resolver.resolve('name'), resolver.resolve('name'), resolver.resolve('name')]);
  await answer(['127.0.0.1']);
  expect(await asked).toEqual([['127.0.0.1'], ['127.0.0.1'], ['127.0.0.1']]);
  expect(queries).toEqual(['name']);
});

test('Resolver: they share its failure too, and the next one asks again', async () => {
  const { resolver, queries, answer } = scripted();
  const asked = Promise.allSettled([resolver.resolve('name'), resolver.resolve('name')]);
  const cause = new Error('getaddrinfo ENOTFOUND name');
  await answer(cause);
  const reasons = (await asked).map((one) => (one as PromiseRejectedResult).reason as CirqueError);
  for (const reason of reasons) {
    expect(reason).toBeInstanceOf(CirqueError);
    expect(reason).toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream', context: 'resolving name', cause });
  }
  const again = resolver.resolve('name');
  await answer(['127.0.0.1']);
  expect(await again).toEqual(['127.0.0.1']);
  expect(queries).toEqual(['name', 'name']);
});

test('Resolver: an expired answer is served once more while one query refreshes it', async () => {
  const { resolver, clock, queries, answer } = scripted({ ttlMs: 1_000 });
  void resolver.resolve('name');
  await answer(['127.0.0.1']);
  clock.advance(1_000);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1']);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1']);
  expect(queries).toEqual(['name', 'name']);
  await answer(['127.0.0.2']);
  expect(resolver.resolve('name')).toEqual(['127.0.0.2']);
  expect(queries).toHaveLength(2);
});

test('Resolver: a failed refresh leaves the old answer, and is tried again after a second, not at once', async () => {
  const { resolver, clock, queries, answer } = scripted({ ttlMs: 10_000 });
  void resolver.resolve('name');
  await answer(['127.0.0.1']);
  clock.advance(10_000);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1']);
  await answer(new Error('SERVFAIL'));
  clock.advance(999);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1']);
  expect(queries).toHaveLength(2);
  clock.advance(1);
  expect(resolver.resolve('name')).toEqual(['127.0.0.1']);
  expect(queries).toHaveLength(3);
});

test('Resolver: a name that nobody asked for long waits for the query', async () => {
  const { resolver, clock, answer } = scripted({ ttlMs: 1_000 });
  void resolver.resolve('name');
  await answer(['127.0.0.1']);
  clock.advance(11_000);
  const asked = resolver.resolve('name');
  expect(asked).toBeInstanceOf(Promise);
  await answer(['127.0.0.2']);
  expect(await asked).toEqual(['127.0.0.2']);
});

test('Resolver: when that query fails, it gets the old answer', async () => {
  const { resolver, clock, answer } = scripted({ ttlMs: 1_000 });
  void resolver.resolve('name');
  await answer(['127.0.0.1']);
  clock.advance(100_000);
  const asked = resolver.resolve('name');
  await answer(new Error('SERVFAIL'));
  expect(await asked).toEqual(['127.0.0.1']);
});

test('Resolver: a time to live of 0 asks every time', async () => {
  const { resolver, queries, answer } = scripted({ ttlMs: 0 });
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    const asked = resolver.resolve('name');
    await answer([address]);
    expect(await asked).toEqual([address]);
  }
  expect(queries).toHaveLength(2);
});

test('Resolver: remembers so many names at most, and forgets the one asked first', async () => {
  const { resolver, queries, answer } = scripted({ maxNames: 2 });
  for (const name of ['a', 'b', 'c']) {
    void resolver.resolve(name);
    await answer(['127.0.0.1']);
  }
  expect(resolver.resolve('c')).toEqual(['127.0.0.1']);
  expect(resolver.resolve('b')).toEqual(['127.0.0.1']);
  expect(resolver.resolve('a')).toBeInstanceOf(Promise);
  await answer(['127.0.0.1']);
  expect(queries).toEqual(['a', 'b', 'c', 'a']);
});

test('Resolver: a query that was forgotten meanwhile does not take a later one with it', async () => {
  const { resolver, queries, answer } = scripted({ maxNames: 1 });
  const first = Promise.allSettled([resolver.resolve('a')]);
  void Promise.allSettled([resolver.resolve('b')]);
  const second = resolver.resolve('a');
  await answer(new Error('first query of a'));
  await answer(new Error('query of b'));
  await answer(['127.0.0.1']);
  expect((await first)[0]?.status).toBe('rejected');
  expect(await second).toEqual(['127.0.0.1']);
  expect(resolver.resolve('a')).toEqual(['127.0.0.1']);
  expect(queries).toEqual(['a', 'b', 'a']);
});

test.each([
  ['nothing', []],
  ['a name', ['other.example']],
  ['no list', '127.0.0.1'],
])('Resolver: a lookup that answers %s has failed', async (_, addresses) => {
  const resolver = new Resolver({ lookup: () => Promise.resolve(addresses as string[]) });
  await expect(resolver.resolve('name')).rejects.toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream' });
});

test('Resolver: a lookup that throws has failed', async () => {
  const resolver = new Resolver({
    lookup: () => {
      throw new Error('broken');
    },
  });
  await expect(resolver.resolve('name')).rejects.toMatchObject({ type: 'ConnectNoRoute' });
});

test('Resolver: localhost is known without configuration', async () => {
  const addresses = await new Resolver().resolve('localhost');
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(['127.0.0.1', '::1']).toContain(address);
});

test('Resolver: a name that cannot exist is ConnectNoRoute with the error of Node as its cause', async () => {
  const asked = Promise.resolve(new Resolver().resolve('does-not-exist.invalid'));
  const error = (await asked.catch((reason: unknown) => reason)) as CirqueError;
  expect(error).toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream' });
  expect((error.cause as NodeJS.ErrnoException).syscall).toBe('getaddrinfo');
}, 30_000);

test.each([
  [{ ttlMs: -1 }, 'resolver option ttlMs is -1: expected an integer of at least 0'],
  [{ maxNames: 1.5 }, 'resolver option maxNames is 1.5'],
  [{ maxNames: 0 }, 'resolver option maxNames is 0: expected an integer of at least 1'],
])('Resolver: refuses %j', (options, message) => {
  expect(() => new Resolver(options)).toThrow(RangeError);
  expect(() => new Resolver(options)).toThrow(message);
});
