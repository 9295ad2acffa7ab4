/**
 * Counters of a service while its threads come and go.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerStats, StatsTree } from '../src/index.ts';
import { ask, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

test('stats() does not go back when threads are replaced, and counts nothing twice', { timeout: 30_000 }, async () => {
  const child = site.start({ threads: 2 });
  const [place = ''] = await child.running();
  for (let i = 0; i < 20; i += 1) await ask(place);
  const connections = async (): Promise<Record<string, unknown>> => {
    const { services } = await child.obey<ServerStats>('stats');
    const { accepted, open, closed } = (services.site?.connections ?? {}) as StatsTree;
    return { accepted, open, closed };
  };
  const all = { accepted: 20, open: 0, closed: 20 };
  await until('the end of the connections', async () => (await connections()).open === 0);
  expect(await connections()).toEqual(all);
  for (let round = 0; round < 2; round += 1) {
    await child.obey('restart');
    expect(await connections()).toEqual(all);
  }
});
