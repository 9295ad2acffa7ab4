/**
 * What hostile clients may make the proxy spend: processor time grows with the octets they send, no faster.
 *
 * Counted in the proxy's own processor time, so a busy machine changes little.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { Rig } from '../src/rig.ts';
import { get } from '../src/wire-client.ts';

const FILLER = 60_000;

let rig: Rig;
let isMeasurable = false;
beforeAll(async () => {
  rig = await Rig.start();
  isMeasurable = (await rig.subject.cpuMs()) !== undefined;
  // The first requests pay for the compiler.
  const client = await rig.request(get('/warm').repeat(2_000));
  await client.answer(1_999, 15_000);
});
afterAll(() => rig?.stop());

async function spent(work: () => Promise<void>): Promise<number> {
  const before = (await rig.subject.cpuMs()) ?? 0;
  await work();
  return ((await rig.subject.cpuMs()) ?? 0) - before;
}

/** Sends the request so many times, so many in one go, and waits for the answers of each go. */
async function pipeline(request: string, count: number, batch: number): Promise<void> {
  const client = await rig.connect();
  const bytes = Buffer.from(request.repeat(batch));
  for (let sent = batch; sent <= count; sent += batch) {
    client.send(bytes);
    await client.answer(sent - 1, 15_000);
  }
  client.destroy();
}

describe('pipelined requests', () => {
  it.each([
    ['GET', get('/p')],
    ['POST', `${head('POST /p HTTP/1.1', 'Host: h.example', 'Content-Length: 500')}${'x'.repeat(500)}`],
  ])('three thousand %s at once cost no more than in small groups', async (_name, request) => {
    if (!isMeasurable) return;
    const inGroups = await spent(() => pipeline(request, 3_000, 5));
    const atOnce = await spent(() => pipeline(request, 3_000, 3_000));
    expect(atOnce, `milliseconds; in groups it was ${inGroups}`).toBeLessThan(2 * inGroups + 50);
  });
});

describe('long fields', () => {
  const fillers: readonly (readonly [name: string, value: string])[] = [
    ['blanks inside', `a${' '.repeat(FILLER)}b`],
    ['tabs and blanks inside', `a${'\t '.repeat(FILLER / 2)}b`],
    ['blanks before', `${' '.repeat(FILLER)}b`],
    ['blanks after', `b${' '.repeat(FILLER)}`],
    ['commas', ','.repeat(FILLER)],
    ['commas and blanks', ', '.repeat(FILLER / 2)],
    ['one letter', 'a'.repeat(FILLER)],
    ['quotes', '"'.repeat(FILLER)],
  ];
  const names = [
    'X-A',
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'Host',
    'Expect',
    'Upgrade',
    'TE',
    'Cookie',
  ];

  it.each(fillers)('of %s cost no more than milliseconds', async (_name, value) => {
    if (!isMeasurable) return;
    const cost = await spent(async () => {
      for (const name of names) {
        const lines = name === 'Host' ? [`Host: ${value}`] : ['Host: h.example', `${name}: ${value}`];
        const client = await rig.request(head('GET /long HTTP/1.1', ...lines));
        await client.answer();
        client.destroy();
      }
    });
    expect(cost, `milliseconds for ${names.length} requests`).toBeLessThan(300);
  });
});

describe('small pieces', () => {
  it('a head of 60 kB in pieces of ten octets', async () => {
    if (!isMeasurable) return;
    const bytes = Buffer.from(get('/slow', `X-Long: ${'x'.repeat(FILLER)}`));
    const cost = await spent(async () => {
      const client = await rig.connect();
      await client.deliver(bytes, { name: 'tens', cut: cutIntoTens });
      expect((await client.answer()).status).toBe(200);
    });
    expect(cost, 'milliseconds').toBeLessThan(500);
  });

  it('a hundred thousand chunks of one octet', async () => {
    if (!isMeasurable) return;
    const chunks = '1\r\nx\r\n'.repeat(100_000);
    const cost = await spent(async () => {
      const client = await rig.request(
        `${head('POST /small HTTP/1.1', 'Host: h.example', 'Transfer-Encoding: chunked')}${chunks}0\r\n\r\n`,
      );
      expect((await client.answer(0, 10_000)).status).toBe(200);
    });
    expect(cost, 'milliseconds').toBeLessThan(1_500);
  });
});

function cutIntoTens(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / 10) }, (_, index) =>
    bytes.subarray(index * 10, index * 10 + 10),
  );
}
