/**
 * The proxy against llhttp on the other side: whatever a strict client would have read from the origin, it reads
 * through the proxy too, or it learns that there was a failure. Nothing is made up, nothing cut passes as whole.
 */
import { get as httpGet, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { RecordingOrigin } from '../src/recording-origin.ts';
import { flawedResponse, soundResponse } from '../src/response-arbitrary.ts';
import { Rig } from '../src/rig.ts';

const SEED = 20_261_121;

let rig: Rig;
let bare: RecordingOrigin;
beforeAll(async () => {
  rig = await Rig.start();
  bare = await RecordingOrigin.listen();
});
afterEach(() => rig.endTest());
afterAll(async () => {
  await bare?.close();
  await rig?.stop();
});

/** What node:http reads: a complete answer, or nothing that it would trust. */
type Reading = { readonly status: number; readonly body: string } | undefined;

function read(port: number): Promise<Reading> {
  const { promise, resolve } = Promise.withResolvers<Reading>();
  let answered = false;
  const createConnection = () => connect({ port, host: '127.0.0.1' });
  const request = httpGet({ path: '/case', host: 'h.example', createConnection }, (response: IncomingMessage) => {
    const chunks: Buffer[] = [];
    answered = true;
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', () => undefined);
    response.on('close', () => {
      const body = Buffer.concat(chunks).toString('base64');
      resolve(response.complete ? { status: response.statusCode ?? 0, body } : undefined);
    });
  });
  // After the head, only the end of the response says whether it was whole.
  request.on('error', () => answered || resolve(undefined));
  // 101 has no place here: nobody asked for it.
  request.on('upgrade', (_response, socket) => {
    socket.destroy();
    resolve(undefined);
  });
  return promise.finally(() => request.destroy());
}

/**
 * What RFC 9112 lets a proxy mend or drop and llhttp refuses: white space before a colon (5.1), folds (5.2),
 * Content-Length beside Transfer-Encoding or twice with one value (6.3), odd chunk extensions (7.1.1).
 */
function isMendable(bytes: string): boolean {
  const twoFramings = (bytes.match(/^(content-length|transfer-encoding):/gim)?.length ?? 0) > 1;
  const oddExtension = /\r\n[0-9a-f]+[ \t]*;/i.test(bytes);
  return twoFramings || oddExtension || /\r\n[^\r\n: \t]+[ \t]+:/.test(bytes) || /\r\n[ \t]/.test(bytes);
}

/** One response, read directly and through the proxy. */
async function readBoth(bytes: string): Promise<{ direct: Reading; proxied: Reading }> {
  const play = (origin: RecordingOrigin): void => {
    origin.forget();
    origin.answer = ({ connection }) => {
      connection.send(bytes);
      connection.wire.finish();
    };
  };
  await rig.origin.hangUp();
  play(rig.origin);
  play(bare);
  const [direct, proxied] = [await read(bare.port), await read(rig.subject.port)];
  rig.origin.forget();
  await rig.expectService();
  return { direct, proxied };
}

it('a well-formed response arrives as it is', async () => {
  const property = fc.asyncProperty(soundResponse, async (bytes) => {
    const { direct, proxied } = await readBoth(bytes);
    expect(direct, 'the reference accepts it').toBeDefined();
    expect(proxied).toEqual(direct);
  });
  await fc.assert(property, { numRuns: 200, seed: SEED });
});

it('a flawed response arrives as llhttp reads it, or as a failure', async () => {
  let passed = 0;
  let failed = 0;
  const property = fc.asyncProperty(flawedResponse, async (bytes) => {
    const { direct, proxied } = await readBoth(bytes);
    if (proxied === undefined || proxied.status === 502) {
      failed++;
      return;
    }
    passed++;
    if (direct === undefined && isMendable(bytes)) return;
    expect(direct, `through the proxy it is ${JSON.stringify(proxied)}`).toEqual(proxied);
  });
  await fc.assert(property, { numRuns: 500, seed: SEED });
  expect(passed, 'responses that were passed on').toBeGreaterThan(50);
  expect(failed, 'responses that were refused or cut').toBeGreaterThan(50);
});
