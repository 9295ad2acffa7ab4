/**
 * Bodies over real sockets, frame by frame: small frames become large pieces, and no byte is lost or mixed up.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { LeakCheck, SeededRandom } from '@cirque/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpConnector, HttpPeer } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { Recorder, request } from './open-session.ts';
import { RawHttp2 } from './raw-http2.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['MessagePort'] });
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition was not met within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** An upstream driven by the test, and the recorders of so many requests to it. */
async function openStreams(count: number): Promise<{ origin: RawHttp2; recorders: Recorder[] }> {
  const origins: RawHttp2[] = [];
  const server = createServer((socket) => {
    const origin = new RawHttp2(socket);
    origins.push(origin);
    origin.settings();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connector = new HttpConnector();
  closeLater(async () => {
    for (const { stream } of origins) stream.destroy();
    server.close();
    await once(server, 'close');
  });
  const peer = new HttpPeer(`127.0.0.1:${(server.address() as AddressInfo).port}`, { alpn: 'h2' });
  const recorders: Recorder[] = [];
  for (let i = 0; i < count; i += 1) {
    const session = await connector.getSession(peer);
    const recorder = new Recorder();
    session.handler = recorder;
    session.writeHead(request(), 0);
    recorder.onLine = (line) => {
      if (line.startsWith('end')) session.release();
    };
    recorders.push(recorder);
  }
  closeLater(() => connector.close());
  const origin = origins[0] as RawHttp2;
  await until(() => origin.requests.length === count);
  return { origin, recorders };
}

test('Http2StreamRouter: frames that come together are one piece, up to whatever else comes', async () => {
  const { origin, recorders } = await openStreams(2);
  const [first, second] = recorders as [Recorder, Recorder];
  origin.stream.cork();
  origin.head(1, 200).head(3, 200);
  origin.data(1, 'aa').data(1, 'bb').data(1, 'cc').data(3, 'dd').data(1, 'ee', true);
  origin.data(3, 'ff').data(3, 'gg').trailers(3, { 'x-sum': '6' });
  origin.stream.uncork();
  await until(() => recorders.every(({ lines }) => lines.at(-1)?.startsWith('end') === true));
  expect(first.lines).toEqual(['head 200 unknown', 'body aabbcc', 'body ee', 'end']);
  expect(second.lines).toEqual(['head 200 unknown', 'body dd', 'body ffgg', 'end {"x-sum":"6"}']);
});

test('Http2StreamRouter: what came before a failure is reported before it', async () => {
  const { origin, recorders } = await openStreams(2);
  origin.stream.cork();
  origin.head(1, 200).head(3, 200).data(1, 'aa').data(1, 'bb').reset(1, 2);
  origin
    .data(3, 'cc')
    .data(3, 'dd')
    .settings([4, 2 ** 31]);
  origin.stream.uncork();
  await until(() => recorders.every(({ error }) => error !== undefined));
  expect(recorders[0]?.lines).toEqual(['head 200 unknown', 'body aabb', 'error H2Error']);
  expect(recorders[1]?.lines).toEqual(['head 200 unknown', 'body ccdd', 'error H2Error']);
});

test.each([1, 2, 3, 4, 5])(
  'Http2StreamRouter: any frames in any order arrive as they were sent (seed %d)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const { origin, recorders } = await openStreams(4);
    const sent = new Map<number, string>();
    for (const id of origin.requests) {
      origin.head(id, 200);
      sent.set(id, '');
    }
    for (let i = 0; i < 600; i += 1) {
      if (i % 50 === 0) {
        origin.stream.uncork();
        await new Promise((resolve) => setImmediate(resolve));
        origin.stream.cork();
      }
      const id = 1 + 2 * random.int(0, 3);
      const text = String.fromCharCode(97 + random.int(0, 25)).repeat(
        random.int(0, random.int(0, 9) === 0 ? 3_000 : 30),
      );
      origin.data(id, text);
      sent.set(id, sent.get(id) + text);
      if (random.int(0, 20) === 0) origin.send(8, 0, 0, Buffer.from([0, 0, 0, 1]));
    }
    for (const id of origin.requests) origin.data(id, '', true);
    origin.stream.uncork();
    await until(() => recorders.every(({ lines }) => lines.at(-1) === 'end'));
    recorders.forEach(({ body }, at) => {
      expect(body).toBe(sent.get(1 + 2 * at));
    });
  },
);
