/**
 * HTTP/1.1 and HTTP/2 on one port, told apart by their first octets; and the end of connections when the server stops.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { byteByByte } from '../src/delivery.ts';
import { H2Client, request } from '../src/h2-client.ts';
import { Code, MAX_WINDOW, PREFACE } from '../src/h2-frames.ts';
import { H2ServerRig } from '../src/h2-rig.ts';
import { plainAnswer } from '../src/recording-origin.ts';
import { get } from '../src/wire-client.ts';
import { heldRequest } from './server-cases/scripts.ts';

let rig: H2ServerRig;
beforeAll(async () => {
  rig = await H2ServerRig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

describe('one port', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'PROPFIND', 'PRIORITY', 'PR', 'P'])(
    'takes %s of HTTP/1.1',
    async (method) => {
      for (const delivery of [undefined, byteByByte]) {
        const client = await rig.h1();
        await client.deliver(get('/').replace('GET', method), delivery);
        expect((await client.answer()).status).toBe(200);
      }
    },
  );

  it('takes HTTP/2 octet by octet', async () => {
    const client = await rig.h2({ delivery: byteByByte });
    const { status } = await client.finished(client.ask());
    expect(status, client.describe()).toBe(200);
    expect(client.anomalies).toEqual([]);
  });

  it.each([
    ['in its method', 'PRJ * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['in its version', 'PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n'],
    ['after its head', 'PRI * HTTP/2.0\r\n\r\nSMX\r\n\r\n'],
    ['in its last octet', `${PREFACE.slice(0, -1)}X`],
    ['in its target', 'PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('closes after a preface that is wrong %s', async (_, bytes) => {
    const client = await rig.h1();
    client.send(bytes);
    await client.closed();
    for (const { status } of client.answers) expect([400, 505]).toContain(status);
    expect(rig.origin.requests).toEqual([]);
    await rig.expectService();
  });

  it('does not upgrade to h2c, which is a thing of the past', async () => {
    const client = await rig.h1();
    client.send(get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'));
    expect((await client.answer()).status).toBe(200);
    expect(client.interim).toEqual([]);
  });
});

describe('stopping', () => {
  it('announces itself, finishes what was begun and ends', async () => {
    const stopping = await H2ServerRig.start();
    const client = await H2Client.connect(stopping.subject.port);
    const held = await heldRequest(client, stopping);
    process.kill(stopping.subject.pid, 'SIGTERM');
    await client.until(() => client.goaways.length === 1, 'the first GOAWAY');
    expect(client.goaways[0]).toMatchObject({ lastStream: MAX_WINDOW, code: Code.NO_ERROR });
    // Begun before the client could know better.
    const late = client.ask(request('/late'));
    await client.until(() => client.goaways.length === 2, 'the second GOAWAY', 5_000);
    expect(client.goaways[1]).toMatchObject({ code: Code.NO_ERROR });
    expect(client.goaways[1]?.lastStream).toBeGreaterThanOrEqual(held);
    for (const arrival of stopping.origin.arrivals) plainAnswer()(arrival);
    expect((await client.finished(held)).status).toBe(200);
    if ((client.goaways[1]?.lastStream ?? 0) >= late) expect((await client.finished(late)).status).toBe(200);
    await client.closed(5_000);
    expect(client.anomalies).toEqual([]);
    await expect.poll(() => stopping.subject.alive, { timeout: 10_000 }).toBe(false);
    client.wire.destroy();
    await stopping.stop();
  });

  it('ends idle connections at once', async () => {
    const stopping = await H2ServerRig.start();
    const client = await H2Client.connect(stopping.subject.port);
    await client.finished(client.ask());
    process.kill(stopping.subject.pid, 'SIGTERM');
    await client.closed(5_000);
    expect(client.goaways.at(-1)).toMatchObject({ lastStream: 1, code: Code.NO_ERROR });
    client.wire.destroy();
    await stopping.stop();
  });
});
