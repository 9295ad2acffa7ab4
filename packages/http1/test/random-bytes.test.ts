/**
 * Ten million bytes through both decoders: noise, protocol words in no order, and good messages that were damaged.
 *
 * Nothing but a CirqueError may come out, a refused connection stays refused, and as long as the decoder goes on
 * every byte is consumed exactly once.
 */
import { CirqueError } from '@cirque/error';
import { SeededRandom } from '@cirque/testing';
import { expect, test } from 'vitest';
import {
  type MessageDecoder,
  type MessageSink,
  RequestDecoder,
  RequestRules,
  ResponseDecoder,
  ResponseRules,
  resolveHttp1Limits,
} from '../src/index.ts';
import { REQUESTS } from './corpus/requests.ts';
import { RESPONSES } from './corpus/responses.ts';

const TOTAL = 10_000_000;

// biome-ignore format: a list of words
const WORDS = [
  'GET ', 'POST ', 'HEAD ', 'CONNECT ', '/', '*', ' HTTP/1.1', ' HTTP/1.0', 'HTTP/1.1 200 OK', 'HTTP/1.1 204 ', 'HTTP/1.1 100 ', 'HTTP/1.0 304 ',
  '\r\n', '\r\n', '\r\n', '\r\n\r\n', '\r', '\n', ' ', '\t', ':', ': ', ',', ';', '=', '"', '\0', '\x7f', '\xff', '0', '1', '5', 'a', 'F', 'hello',
  'Host: a\r\n', 'Content-Length: 5\r\n', 'Content-Length: ', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: ', 'Connection: ', 'close', 'keep-alive',
  'Expect: 100-continue\r\n', 'Keep-Alive: timeout=5\r\n', 'X-A: b\r\n', 'TE: trailers\r\n', ' folded\r\n', '0\r\n\r\n', '5\r\nhello\r\n', '5;a=b\r\n',
].map((word) => Buffer.from(word, 'latin1'));

const GOOD = [...REQUESTS, ...RESPONSES]
  .filter(({ refused, bytes }) => refused === undefined && bytes.length < 500)
  .map(({ bytes }) => Buffer.from(bytes, 'latin1'));

function noise(random: SeededRandom): Buffer {
  return random.bytes(random.int(1, 400));
}

function words(random: SeededRandom): Buffer {
  return Buffer.concat(Array.from({ length: random.int(1, 60) }, () => random.pick(WORDS)));
}

function damaged(random: SeededRandom): Buffer {
  const messages = Array.from({ length: random.int(1, 5) }, () => random.pick(GOOD));
  const bytes = Buffer.concat(messages);
  for (let i = random.int(0, 3); i > 0; i -= 1) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
  return bytes.subarray(0, random.chance(0.2) ? random.int(0, bytes.length) : bytes.length);
}

/** Acts on its decoder now and then, as an owner does. */
class Owner implements MessageSink {
  decoder: MessageDecoder | undefined;
  body = 0;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }
  #act(): void {
    if (this.#random.chance(0.05)) this.decoder?.hold();
    else if (this.#random.chance(0.005)) this.decoder?.stop();
  }
  onMessageHead(): void {
    this.#act();
  }
  onBodyBytes(_: Buffer, start: number, end: number): void {
    if (!(start < end)) throw new Error('an empty piece of body');
    this.body += end - start;
    this.#act();
  }
  onMessageEnd(): void {
    if (this.#random.chance(0.9)) this.decoder?.next();
  }
}

const LIMITS = [
  resolveHttp1Limits(),
  resolveHttp1Limits({ maxHeadBytes: 120, maxFields: 4, maxTargetBytes: 20, maxTrailerBytes: 12 }),
];
const LENIENT = {
  obsFold: true,
  contentLengthWithTransferEncoding: true,
  repeatedContentLength: true,
  missingHost: true,
};

function connection(random: SeededRandom): { owner: Owner; decoder: MessageDecoder } {
  const owner = new Owner(random);
  const limits = random.pick(LIMITS);
  if (random.chance(0.5)) {
    owner.decoder = new RequestDecoder(owner, new RequestRules(limits, random.chance(0.5) ? LENIENT : {}));
  } else {
    const decoder = new ResponseDecoder(owner, new ResponseRules(limits));
    decoder.requestMethod = random.pick(['GET', 'GET', 'HEAD', 'CONNECT']);
    owner.decoder = decoder;
  }
  return { owner, decoder: owner.decoder };
}

/** Feeds one connection with everything it takes; the bytes that were consumed. */
function live(random: SeededRandom, input: Buffer): number {
  const { owner, decoder } = connection(random);
  let at = 0;
  try {
    while (at < input.length) {
      const end = random.chance(0.5) ? input.length : Math.min(input.length, at + random.int(1, 40));
      const next = decoder.feed(input, at, end);
      if (!(next >= at && next <= end)) throw new Error(`consumed ${next} of ${at} to ${end}`);
      decoder.unhold();
      if (next === at && decoder.state !== 'ending') {
        if (!decoder.received) break;
        decoder.next();
      }
      at = next;
    }
    decoder.finish();
  } catch (error) {
    if (!(error instanceof CirqueError)) throw error;
    expect(decoder.state).toBe('stopped');
    expect(decoder.feed(input, 0, input.length)).toBe(0);
  }
  expect(owner.body).toBeLessThanOrEqual(input.length);
  return input.length;
}

test.each([
  ['noise', noise],
  ['words', words],
  ['damaged', damaged],
])('the decoders survive %s', { timeout: 60_000 }, (_, make) => {
  const random = new SeededRandom(9_112);
  let bytes = 0;
  while (bytes < TOTAL / 3) bytes += live(random, make(random));
});
