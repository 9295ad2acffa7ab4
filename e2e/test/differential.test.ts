/**
 * The proxy against llhttp: whatever the proxy forwards, a strict server behind it must understand exactly as it
 * would have understood the client's own octets. Refusing more than llhttp does is allowed, seeing something else
 * is not.
 */
import { METHODS } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NodeOrigin, type UnderstoodRequest } from '../src/node-origin.ts';
import { flawedRequest, SENTINEL, soundRequest } from '../src/request-arbitrary.ts';
import { Subject } from '../src/subject.ts';
import { get, WireClient } from '../src/wire-client.ts';

const SEED = 20_261_121;
/** How long an incomplete message is left waiting before its client gives up. */
const PATIENCE_MS = 40;
/** Never waited for: a well-formed request ends with an answer and a close. */
const LONG_MS = 2_000;

let reference: NodeOrigin;
let origin: NodeOrigin;
let subject: Subject;
beforeAll(async () => {
  [reference, origin] = await Promise.all([NodeOrigin.listen(), NodeOrigin.listen()]);
  subject = await Subject.start(origin.port);
});
afterAll(async () => {
  await subject?.stop();
  await Promise.all([reference.close(), origin.close()]);
});

/** Sends the octets to llhttp itself. The FIN makes it give up at once on what is incomplete. */
async function sendDirectly(bytes: string): Promise<void> {
  const client = await WireClient.connect(reference.port);
  client.send(bytes);
  client.wire.finish();
  await client.closed();
  client.destroy();
}

/** Sends the octets to the proxy and waits until it closes, or for `patienceMs` where it may be waiting for more. */
async function sendToProxy(bytes: string, patienceMs: number): Promise<void> {
  const client = await WireClient.connect(subject.port);
  client.send(bytes);
  await Promise.race([client.closed(), pause(patienceMs, undefined, { ref: false })]);
  client.wire.reset();
}

/** A request of its own: what was on its way before has arrived by its answer. */
async function fence(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  client.send(get('/fence'));
  expect((await client.answer()).status, 'a request after the random one').toBe(200);
  client.destroy();
}

async function understand(seen: NodeOrigin, port: number, play: () => Promise<void>): Promise<UnderstoodRequest[]> {
  seen.forget();
  await play();
  await fence(port);
  return seen.understood.filter(({ url }) => url !== '/fence');
}

/** What llhttp understands directly, and what is left of that behind the proxy. */
async function compare(
  request: string,
  patienceMs: number,
): Promise<{ direct: UnderstoodRequest[]; proxied: UnderstoodRequest[] }> {
  const bytes = request + SENTINEL;
  return {
    direct: await understand(reference, reference.port, () => sendDirectly(bytes)),
    proxied: await understand(origin, subject.port, () => sendToProxy(bytes, patienceMs)),
  };
}

/**
 * False for what llhttp refuses and a proxy may take: other methods (RFC 9110 9.1), higher minor versions (2.5), empty
 * chunk extensions (RFC 9112 7.1.1).
 */
function isWithinLlhttp(request: string): boolean {
  if (/\r\n[0-9a-f]+[ \t]*;/i.test(request)) return false;
  const method = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?= )/.exec(request)?.[0];
  return !/HTTP\/1\.[2-9]/.test(request) && (method === undefined || METHODS.includes(method));
}

it('the proxy and llhttp see the same in well-formed requests', async () => {
  const property = fc.asyncProperty(soundRequest, async (request) => {
    const { direct, proxied } = await compare(request, LONG_MS);
    expect(direct.length, 'the reference accepts it').toBe(2);
    expect(proxied).toEqual(direct);
  });
  await fc.assert(property, { numRuns: 200, seed: SEED });
});

it('the proxy forwards nothing that llhttp understands in another way', async () => {
  let forwarded = 0;
  let refused = 0;
  const property = fc.asyncProperty(flawedRequest, async (request) => {
    fc.pre(isWithinLlhttp(request));
    const { direct, proxied } = await compare(request, PATIENCE_MS);
    expect(proxied, 'what the origin saw is the beginning of what the client said').toEqual(
      direct.slice(0, proxied.length),
    );
    if (proxied.length > 0) forwarded++;
    else refused++;
  });
  await fc.assert(property, { numRuns: 500, seed: SEED });
  expect(subject.alive).toBe(true);
  // Otherwise the generator has lost its point.
  expect(forwarded, 'requests that were forwarded').toBeGreaterThan(50);
  expect(refused, 'requests that were refused').toBeGreaterThan(50);
});
