/**
 * Clients that stop in the middle, with short limits: what becomes of them, and what they cost meanwhile.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { H2Client, request } from '../src/h2-client.ts';
import { Code, data, Flag, headers, PREFACE, Setting, settings, windowUpdate } from '../src/h2-frames.ts';
import { block } from '../src/h2-hpack.ts';
import { H2ServerRig } from '../src/h2-rig.ts';
import { plainAnswer } from '../src/recording-origin.ts';
import { answerWith, holdAnswers } from './server-cases/scripts.ts';

const LIMIT_MS = 1_000;
/** Time to notice, and for a busy machine. */
const GRACE_MS = 6_000;
const MIB = 1_048_576;
const POST = block(request('/', 'POST'));

let rig: H2ServerRig;
beforeAll(async () => {
  const limit = String(LIMIT_MS);
  rig = await H2ServerRig.start('--head-timeout-ms', limit, '--body-timeout-ms', limit, '--write-timeout-ms', limit);
});
afterEach(async () => {
  rig.endTest();
  await rig.revive();
});
afterAll(() => rig?.stop());

async function upstreamsClosed(): Promise<void> {
  await rig.origin.until(() => rig.origin.openConnections.length === 0, 'the end of upstream work', GRACE_MS);
}

describe('the beginning', () => {
  it.each([
    ['nothing', ''],
    ['the first letters of the preface', PREFACE.slice(0, 3)],
    ['all but one octet of the preface', PREFACE.slice(0, -1)],
    ['the preface without SETTINGS', PREFACE],
    ['the preface and half a SETTINGS frame', PREFACE + settings([3, 1]).toString('latin1', 0, 10)],
  ])('ends with %s', async (_, bytes) => {
    const client = await rig.h1();
    client.send(bytes);
    await client.closed(LIMIT_MS + GRACE_MS);
    await rig.expectService();
  });

  it('ends when SETTINGS are never acknowledged', async () => {
    const client = await rig.h2({ ackSettings: false });
    await client.closed(LIMIT_MS + GRACE_MS);
    expect(client.failure?.code).toBe(Code.SETTINGS_TIMEOUT);
  });

  it('ends with a field block that does not', async () => {
    const client = await rig.h2();
    client.send(headers(client.take(), block(request()), Flag.END_STREAM));
    await client.closed(LIMIT_MS + GRACE_MS);
    expect(rig.requests).toEqual([]);
  });
});

describe('an upload', () => {
  it('that stops is given up, at the origin too', async () => {
    const client = await rig.h2();
    const id = client.take();
    client.send(headers(id, POST), data(id, 'abc'));
    const { status, reset } = await client.finished(id, LIMIT_MS + GRACE_MS);
    expect(status === 408 || reset !== undefined, client.describe()).toBe(true);
    await upstreamsClosed();
    expect(rig.requests).toEqual([]);
    expect(await client.roundTrip()).toBe(true);
  });
});

describe('an answer', () => {
  it.each([
    ['a window of 0', 0],
    ['a window of 10', 10],
  ])('that is stuck behind %s is given up, at the origin too', async (_, size) => {
    answerWith(rig, plainAnswer('x'.repeat(20 * MIB)));
    const client = await rig.h2({ settings: [[Setting.INITIAL_WINDOW_SIZE, size]], giveWindow: false });
    const id = client.ask();
    await client.until(() => client.stream(id)?.reset !== undefined || client.isClosed, 'the end', LIMIT_MS + GRACE_MS);
    expect(client.stream(id)?.bodySize).toBe(size);
    await upstreamsClosed();
    await rig.expectService();
  });

  it('that is stuck does not hold up the others', async () => {
    answerWith(rig, (arrival) => plainAnswer('x'.repeat(arrival.request.target === '/stuck' ? MIB : 1_000))(arrival));
    const client = await rig.h2({ giveWindow: false });
    client.send(windowUpdate(0, MIB));
    const stuck = client.ask(request('/stuck'));
    await client.until(() => client.stream(stuck)?.bodySize === 65_535, 'a full window');
    for (let count = 0; count < 10; count++) {
      const { status, bodySize } = await client.finished(client.ask(request('/other')));
      expect([status, bodySize]).toEqual([200, 1_000]);
    }
  });

  it('that trickles on is not given up', async () => {
    answerWith(rig, plainAnswer('x'.repeat(100)));
    const client = await rig.h2({ settings: [[Setting.INITIAL_WINDOW_SIZE, 1]], giveWindow: false });
    const id = client.ask();
    for (let octets = 1; octets <= 8; octets++) {
      await client.until(() => client.stream(id)?.bodySize === octets, `${octets} octets`);
      await new Promise((resolve) => setTimeout(resolve, LIMIT_MS / 3));
      client.send(windowUpdate(id, 1));
    }
    expect(client.stream(id)?.reset).toBeUndefined();
    client.send(windowUpdate(id, 100));
    expect((await client.finished(id)).bodySize).toBe(100);
  });

  it('that nobody reads ends the connection', async () => {
    answerWith(rig, plainAnswer('x'.repeat(50 * MIB)));
    const client = await rig.h2({ paused: true, settings: [[Setting.INITIAL_WINDOW_SIZE, 0x7fffffff]] });
    client.send(windowUpdate(0, 0x7fffffff - 65_535));
    client.ask();
    await rig.origin.until(() => rig.requests.length === 1, 'the request');
    await upstreamsClosed();
    client.wire.resume();
    await client.closed(GRACE_MS);
  });

  it('of 100 stuck streams costs bounded memory', async () => {
    answerWith(rig, plainAnswer('x'.repeat(2 * MIB)));
    const before = (await rig.subject.residentBytes()) ?? 0;
    const client = await rig.h2({ settings: [[Setting.INITIAL_WINDOW_SIZE, 0]], giveWindow: false });
    const ids = Array.from({ length: 100 }, () => client.ask());
    const heads = (): boolean => ids.every((id) => client.stream(id)?.head !== undefined) || client.isClosed;
    await client.until(heads, 'the heads', GRACE_MS);
    const grown = ((await rig.subject.residentBytes()) ?? 0) - before;
    // 200 MiB would come if nobody held the origin back.
    expect(grown, 'growth of the proxy').toBeLessThan(64 * MIB);
    await upstreamsClosed();
    await rig.expectService();
  });
});

describe('a client that leaves', () => {
  it.each(['in order', 'by a reset'])('%s ends its requests at the origin', async (how) => {
    holdAnswers(rig);
    const client = await H2Client.connect(rig.subject.port);
    for (let count = 0; count < 10; count++) client.ask();
    const upload = client.take();
    client.send(headers(upload, POST), data(upload, 'abc'));
    await rig.origin.until(() => rig.requests.length === 10 && rig.origin.unfinished.length === 1, 'the requests');
    if (how === 'in order') client.finish();
    else client.wire.reset();
    await upstreamsClosed();
    client.wire.destroy();
    await rig.expectService();
  });
});
