import type { Duplex } from 'node:stream';
import { PREFACE } from '@cirque/http2';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { PrefaceDetector } from './preface-detector.ts';

const sites: Site[] = [];
afterEach(() => {
  for (const { client, server } of sites.splice(0)) for (const end of [client, server]) end.destroy();
});

/** A connection that is undecided, and what becomes of it. */
class Site {
  readonly clock = new FakeClock();
  readonly client: Duplex;
  readonly server: Duplex;
  readonly detector: PrefaceDetector;
  readonly decisions: (readonly [string, string])[] = [];

  constructor(headTimeoutMs = 10_000) {
    const wheel = new TimerWheel({ clock: this.clock });
    this.clock.onAdvance(() => wheel.advance());
    [this.client, this.server] = duplexPair();
    const stream = new Stream(this.server, 'Downstream');
    const decided = (version: string, first: Buffer, length: number): void => {
      this.decisions.push([version, first.toString('latin1', 0, length)]);
      stream.start({ onRead() {}, onReadEnd() {}, onDrain() {}, onClose() {} });
    };
    this.detector = new PrefaceDetector(stream, decided, wheel);
    this.detector.start(headTimeoutMs);
    sites.push(this);
  }

  async send(bytes: string | Buffer): Promise<void> {
    this.client.write(bytes);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

const preface = PREFACE.toString('latin1');

describe('PrefaceDetector', () => {
  test('PrefaceDetector knows the preface and hands over all that came with it', async () => {
    const site = new Site();
    await site.send(`${preface}SETTINGS`);
    expect(site.decisions).toEqual([['2', `${preface}SETTINGS`]]);
  });

  test('PrefaceDetector knows the preface byte by byte', async () => {
    const site = new Site();
    for (const byte of preface) {
      expect(site.decisions).toEqual([]);
      await site.send(byte);
    }
    expect(site.decisions).toEqual([['2', preface]]);
  });

  test('PrefaceDetector decides for HTTP/1 with the first byte', async () => {
    const site = new Site();
    await site.send('G');
    expect(site.decisions).toEqual([['1.1', 'G']]);
  });

  test.each([
    ['P', 'OST / HTTP/1.1\r\n'],
    ['PR', 'OPFIND / HTTP/1.1\r\n'],
    ['PRI * HTTP/', '1.1\r\nHost: a\r\n\r\n'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r', 'x'],
    ['PRI * HTTP/2.0\r\n', '\rx'],
  ])('PrefaceDetector takes %j and then %j for HTTP/1, without losing a byte', async (first, second) => {
    const site = new Site();
    await site.send(first);
    expect(site.decisions).toEqual([]);
    await site.send(second);
    expect(site.decisions).toEqual([['1.1', first + second]]);
  });

  test('PrefaceDetector takes a longer read that differs inside the preface for HTTP/1', async () => {
    const site = new Site();
    await site.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect(site.decisions).toEqual([['1.1', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n']]);
  });

  test('PrefaceDetector closes a connection that stays undecided, and no other', async () => {
    const [waiting, decided] = [new Site(), new Site()];
    await waiting.send('PRI * HTTP/2.0');
    await decided.send(preface);
    for (const { clock } of [waiting, decided]) clock.advance(9_900, 100);
    await waiting.send('\r\n');
    expect(waiting.server.destroyed).toBe(false);
    for (const { clock } of [waiting, decided]) clock.advance(200, 100);
    expect(waiting.server.destroyed).toBe(true);
    expect(waiting.decisions).toEqual([]);
    expect(decided.server.destroyed).toBe(false);
  });

  test('PrefaceDetector waits for ever when there is no head deadline', async () => {
    const site = new Site(0);
    site.clock.advance(10_000_000, 1_000_000);
    await site.send(preface);
    expect(site.decisions).toHaveLength(1);
  });

  test('PrefaceDetector gives a silent connection two seconds when the server stops', async () => {
    const [silent, late] = [new Site(), new Site()];
    for (const { detector } of [silent, late]) detector.shutdown();
    for (const { clock } of [silent, late]) clock.advance(1_900, 20);
    await late.send('GET');
    for (const { clock } of [silent, late]) clock.advance(200, 20);
    expect(silent.server.destroyed).toBe(true);
    expect(late.server.destroyed).toBe(false);
    expect(late.detector.shuttingDown).toBe(true);
  });

  test('PrefaceDetector closes when the client ends before it is decided', async () => {
    const site = new Site();
    await site.send('PRI');
    site.client.end();
    await settle();
    expect(site.server.destroyed).toBe(true);
    expect(site.decisions).toEqual([]);
  });
});
