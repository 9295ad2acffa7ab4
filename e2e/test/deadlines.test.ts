/**
 * The head deadline of ten seconds (architecture section 3), on real time: all cases wait side by side.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig } from '../src/rig.ts';
import { get, type WireClient } from '../src/wire-client.ts';
import { tokensOf } from '../src/wire-head.ts';

const DEADLINE_MS = 10_000;
/** The timer may be late by this much (security section 7: precision of a second at most). */
const LATE_MS = 1_500;
/** It may not be early, but for the time between the two clocks' starts. */
const EARLY_MS = 200;
const DRIP_MS = 400;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig?.stop());

async function expectTimeout(client: WireClient, answers: number, since: number): Promise<void> {
  const answer = await client.answer(answers, DEADLINE_MS + LATE_MS + 500);
  const elapsed = performance.now() - since;
  expect(answer.status).toBe(408);
  expect(tokensOf(answer.fields, 'connection')).toContain('close');
  expect(elapsed).toBeGreaterThan(DEADLINE_MS - EARLY_MS);
  expect(elapsed).toBeLessThan(DEADLINE_MS + LATE_MS);
  await client.closed();
}

describe.concurrent('a head that does not come to its end is cut off with 408', () => {
  it.each([
    ['part of the request line', 'GET / HT'],
    ['a whole request line', 'GET / HTTP/1.1\r\n'],
    ['all but the last octet', get('/').slice(0, -1)],
  ])('after %s', async (_name, bytes) => {
    const client = await rig.connect();
    const since = performance.now();
    client.send(bytes);
    await expectTimeout(client, 0, since);
  });

  it('although octets keep dripping in', async () => {
    const client = await rig.connect();
    const since = performance.now();
    client.send('GET / HTTP/1.1\r\nHost: h.example\r\nX-Drip: ');
    const drip = setInterval(() => client.send('x'), DRIP_MS);
    try {
      await expectTimeout(client, 0, since);
    } finally {
      clearInterval(drip);
    }
  });

  it('on a connection that has served a request before', async () => {
    const client = await rig.request(get('/first'));
    expect((await client.answer()).status).toBe(200);
    const since = performance.now();
    client.send('GET /second HTTP/1.1\r\nHost: h.');
    await expectTimeout(client, 1, since);
  });

  it('while two hundred half-open heads wait, others are served at once', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => rig.request('GET / HTTP/1.1\r\nHost: ')));
    const since = performance.now();
    for (let index = 0; index < 50; index++) await rig.expectService();
    expect((performance.now() - since) / 50, 'milliseconds per request').toBeLessThan(100);
    for (const client of slow) client.destroy();
  });
});
