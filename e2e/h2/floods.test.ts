/**
 * Hostile clients: what they ask of the proxy is bounded, their connection ends, and everybody else is served on.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type H2Client, request } from '../src/h2-client.ts';
import { flood } from '../src/h2-flood.ts';
import { Flag, headers } from '../src/h2-frames.ts';
import { H2ServerRig } from '../src/h2-rig.ts';
import { blocks, bombs, busyClient, type Flood, noise, resets } from './server-cases/floods.ts';
import { holdAnswers } from './server-cases/scripts.ts';

const MIB = 1_048_576;

let rig: H2ServerRig;
beforeAll(async () => {
  rig = await H2ServerRig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

/** What the origin got, whole or in part. */
function requestsAtOrigin(): number {
  const { origin, requests } = rig;
  return requests.length + origin.unfinished.length;
}

async function growth(play: () => Promise<void>): Promise<number> {
  const before = (await rig.subject.residentBytes()) ?? 0;
  await play();
  return ((await rig.subject.residentBytes()) ?? 0) - before;
}

async function expectEnd(client: H2Client, codes: readonly number[]): Promise<void> {
  await client.closed(10_000);
  const { code } = client.failure ?? {};
  // The reset of a connection that still brings frames can overtake its GOAWAY.
  if (code !== undefined || client.wire.ending !== 'reset') {
    expect(codes, `code of the GOAWAY: ${client.describe()}`).toContain(code);
  }
  expect(client.anomalies, client.describe()).toEqual([]);
}

describe.each([
  ['resets', resets],
  ['frames that carry nothing', noise],
  ['field blocks without an end', blocks],
] as readonly [string, readonly Flood[]][])('%s', (_, floods) => {
  it.each(floods)('$name ($source)', async ({ begin, round, rounds, codes, maxRequests = 0 }) => {
    await rig.revive();
    holdAnswers(rig);
    const client = await rig.h2();
    begin?.(client);
    await flood(client, rounds, (count) => round(client, count));
    await expectEnd(client, codes);
    expect(requestsAtOrigin(), 'requests at the origin').toBeLessThanOrEqual(maxRequests);
    await rig.expectService();
  });
});

describe('floods without reading', () => {
  it.each(noise.filter(({ name }) => name.startsWith('PING') || name.startsWith('SETTINGS')))(
    '$name ($source)',
    async ({ round, rounds }) => {
      await rig.revive();
      const client = await rig.h2({ paused: true });
      const grown = await growth(async () => {
        await flood(client, rounds, (count) => round(client, count)).catch(() => undefined);
      });
      expect(grown, 'growth of the proxy').toBeLessThan(48 * MIB);
      client.wire.resume();
      await client.closed(10_000);
      await rig.expectService();
    },
  );
});

describe('bombs', () => {
  it.each(bombs)('$name ($source)', async ({ fuse, block, times }) => {
    await rig.revive();
    const grown = await growth(async () => {
      const client = await rig.h2();
      for (const bytes of fuse) {
        const id = client.take();
        client.send(headers(id, bytes, Flag.END_HEADERS | Flag.END_STREAM));
        await client.finished(id);
      }
      for (let count = 0; count < times && !client.isClosed; count++) {
        const id = client.take();
        client.send(headers(id, block, Flag.END_HEADERS | Flag.END_STREAM));
        const refused = (): boolean => client.stream(id)?.isOver === true || client.isClosed;
        await client.until(refused, `an end of stream ${id}`);
        const { status, reset } = client.stream(id) ?? {};
        if (!client.isClosed) expect(status === 431 || reset !== undefined, client.describe()).toBe(true);
      }
      expect(client.anomalies, client.describe()).toEqual([]);
    });
    expect(requestsAtOrigin(), 'requests at the origin').toBe(fuse.length);
    expect(grown, 'growth of the proxy').toBeLessThan(48 * MIB);
    await rig.expectService();
  });
});

describe('what is no attack', () => {
  it('a client that cancels every other request, up to the budget', async () => {
    await rig.revive();
    const client = await rig.h2();
    await flood(client, 150, (count) => busyClient(client, count));
    expect(await client.roundTrip()).toBe(true);
    for (let id = 3; id < 300; id += 4) expect((await client.finished(id)).status).toBe(200);
    expect(client.goaways).toEqual([]);
  });

  it('many PINGs and window updates beside as many requests', async () => {
    await rig.revive();
    const client = await rig.h2();
    for (let round = 0; round < 60; round++) {
      const ids = Array.from({ length: 50 }, () => client.ask(request('/flood')));
      expect(await client.roundTrip()).toBe(true);
      for (const id of ids) expect((await client.finished(id)).status).toBe(200);
    }
    expect(client.goaways).toEqual([]);
  });
});
