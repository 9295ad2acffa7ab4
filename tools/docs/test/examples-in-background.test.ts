import { describe, test } from 'vitest';
import { actOut, examples, isServer, readmeOf } from '../src/act-out.ts';

/** What differs between threads, because each has a turn, or a cache, of its own. */
const OF_EACH_THREAD: Readonly<Record<string, RegExp>> = {
  dispatcher: /answer number \d+/g,
  'load-balancer': /origin (?:one|two)/g,
  nginy: /^(?:one|two)(?=:)/g,
  'multi-lb': /(?<=(?:one|two)-)[ab]/g,
};

describe.each(examples.filter(isServer))('examples/%s', (name) => {
  test('it does what its README says in the background with two threads as well', () =>
    actOut(readmeOf(name), { inBackgroundWith: 'threads: 2' }, OF_EACH_THREAD[name]));
});
