/**
 * Clients that go away and messages that stop in the middle: upstream work ends, nothing incomplete looks complete.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '@cirque/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { Rig } from '../src/rig.ts';
import { get } from '../src/wire-client.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  rig.endTest();
  await rig.origin.breakAll();
});
afterAll(() => rig?.stop());

const LONG = head('POST /upload HTTP/1.1', 'Host: h.example', 'Content-Length: 100');
const CHUNKED = head('POST /upload HTTP/1.1', 'Host: h.example', 'Transfer-Encoding: chunked');

/** Bodies that stop too early, after the head. */
const unfinished: readonly (readonly [name: string, bytes: string])[] = [
  ['by length', `${LONG}hello`],
  ['by length, without one octet of it', LONG],
  ['inside a chunk', `${CHUNKED}a\r\nhello`],
  ['between two chunks', `${CHUNKED}5\r\nhello\r\n`],
  ['inside a chunk size', `${CHUNKED}5\r\nhello\r\n1`],
  ['before the end of the trailers', `${CHUNKED}5\r\nhello\r\n0\r\n`],
  ['inside a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-T: 1`],
];

describe('an upload that stops', () => {
  it.each(unfinished)('by reset, %s: the origin sees an incomplete request and the end', async (_name, bytes) => {
    const client = await rig.request(bytes);
    await rig.origin.until(() => rig.origin.unfinished.length > 0, 'the beginning of the request');
    const [used] = rig.origin.unfinished;
    client.wire.reset();
    await rig.origin.until(() => used?.isClosed === true, 'the end of the upstream connection', 1_000);
    expect(rig.origin.requests).toEqual([]);
    await rig.expectService();
  });

  it.each(unfinished)('by FIN, %s: the origin never sees it complete', async (_name, bytes) => {
    const client = await rig.request(bytes);
    await rig.origin.until(() => rig.origin.unfinished.length > 0, 'the beginning of the request');
    const [used] = rig.origin.unfinished;
    client.wire.finish();
    await client.closed();
    await rig.origin.until(() => used?.isClosed === true, 'the end of the upstream connection', 1_000);
    expect(rig.origin.requests).toEqual([]);
    for (const answer of client.answers) expect(answer.status, client.describe()).toBe(400);
    await rig.expectService();
  });
});

describe('a client that goes away', () => {
  it('before the answer: the request upstream is cancelled', async () => {
    rig.origin.answer = () => undefined;
    const client = await rig.request(get('/slow'));
    const { connection } = await rig.origin.arrival();
    client.wire.reset();
    await rig.origin.until(() => connection.isClosed, 'the end of the upstream connection', 1_000);
    rig.origin.forget();
    await rig.expectService();
  });

  it('inside the answer: the origin is told to stop', async () => {
    rig.origin.answer = ({ connection }) => {
      connection.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 1000000')}begin`);
    };
    const client = await rig.request(get('/slow'));
    const { connection } = await rig.origin.arrival();
    await client.wire.until(() => client.reader.current !== undefined, 'the beginning of the answer');
    client.wire.reset();
    await rig.origin.until(() => connection.isClosed, 'the end of the upstream connection', 1_000);
    rig.origin.forget();
    await rig.expectService();
  });

  it('with pipelined requests waiting: those never reach the origin', async () => {
    rig.origin.answer = () => undefined;
    const client = await rig.request(get('/slow') + get('/never') + get('/never'));
    const { connection } = await rig.origin.arrival();
    client.wire.reset();
    await rig.origin.until(() => connection.isClosed, 'the end of the upstream connection', 1_000);
    const targets = rig.origin.requests.map(({ target }) => target);
    rig.origin.forget();
    await rig.expectService();
    expect(targets).toEqual(['/slow']);
  });

  it('only for sending (half-close): it is answered, or the connection ends at once', async () => {
    const client = await rig.request(get('/half'));
    client.wire.finish();
    await client.closed();
    for (const answer of client.answers) expect(answer.status).toBe(200);
    expect(client.reader.inside, `a whole answer or none: ${client.describe()}`).toBe(false);
    await rig.expectService();
  });

  it('at a hundred random moments: no upstream connection stays behind with half a message', async () => {
    const random = new SeededRandom(7);
    const upload = `${CHUNKED}${'a\r\n0123456789\r\n'.repeat(20)}0\r\n\r\n`;
    for (let round = 0; round < 100; round++) {
      const bytes = round % 2 === 0 ? upload : get(`/abort/${round}`).repeat(3);
      const client = await rig.request(bytes.slice(0, random.int(1, bytes.length)));
      if (random.chance(0.5)) await rig.expectService();
      client.wire.reset();
    }
    await rig.expectService();
    const left = (): boolean => rig.origin.unfinished.every((connection) => connection.isClosed);
    await rig.origin.until(left, 'the end of all upstream connections with unfinished requests');
    for (const request of rig.origin.requests.filter(({ method }) => method === 'POST')) {
      expect(request.body.size, 'a complete upload is whole').toBe(200);
    }
  });

  it('by the hundred, in every way: the proxy holds no more sockets than before', async ({ skip }) => {
    await rig.origin.hangUp();
    await rig.expectService();
    const before = await rig.subject.openSockets();
    if (before === undefined) return skip('the sockets of the process are not known on this system');
    const random = new SeededRandom(11);
    const bodies = [get('/a'), get('/a').repeat(5), `${CHUNKED}${'a\r\n0123456789\r\n'.repeat(200)}`] as const;
    const leave = async (): Promise<void> => {
      const bytes = random.pick(bodies);
      const client = await rig.request(bytes.slice(0, random.int(1, bytes.length)));
      for (let turns = random.int(0, 5); turns > 0; turns--) await nextTurn();
      if (random.chance(0.3)) client.wire.finish();
      if (random.chance(0.5)) client.wire.reset();
      else client.destroy();
    };
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 100 }, leave));
    await rig.origin.until(() => rig.origin.unfinished.every(({ isClosed }) => isClosed), 'the end of half requests');
    await rig.origin.hangUp();
    await rig.expectService();
    await expect.poll(() => rig.subject.openSockets(), { timeout: 2_000 }).toBe(before);
  });
});
