/** However the bytes are cut, the same is reported and written. */
import { byteByByte, cutAtRandom } from '@cirque/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PREFACE } from '../src/index.ts';
import {
  data,
  END_STREAM,
  frame,
  getFields,
  goaway,
  PADDED,
  ping,
  postFields,
  reset,
  SETTINGS_ACK,
  settings,
  Wire,
  windowUpdate,
} from './wire.ts';

/** A conversation with everything in it. */
function conversation(): Buffer {
  const wire = new Wire({ role: 'client' });
  const long = wire.block(getFields(['x-long', '~'.repeat(20_000)]));
  return Buffer.concat([
    PREFACE,
    settings([3, 100], [4, 70_000]),
    SETTINGS_ACK,
    windowUpdate(0, 5),
    frame(1, END_STREAM, 1, long.subarray(0, 16_384)),
    frame(9, 4, 1, long.subarray(16_384)),
    wire.headers(3, postFields(['content-length', '300']), 0),
    data(3, 'a'.repeat(100)),
    ping(),
    frame(0, PADDED, 3, `\x0a${'b'.repeat(100)}${'\0'.repeat(10)}`),
    wire.headers(5, postFields(['X', 'upper case']), 0),
    data(5, 'ignored'),
    data(3, 'c'.repeat(100)),
    wire.headers(3, [['x-sum', '1']]),
    frame(77, 3, 9, 'unknown'),
    wire.headers(7, postFields(), 0),
    reset(7, 8),
    goaway(0, 0),
    wire.headers(9, getFields()),
    data(0, 'an error'),
    wire.headers(11, getFields()),
  ]);
}

interface Outcome {
  readonly events: string[];
  readonly frames: string[];
}

function outcome(chunks: Buffer[]): Outcome {
  const wire = new Wire({ role: 'server' });
  wire.say(...chunks);
  // Pieces of a body are cut where the input was.
  const events: string[] = [];
  let body = 0;
  for (const event of wire.told()) {
    if (event.startsWith('data 3 ')) body += /^\d+$/.test(event.slice(7)) ? Number(event.slice(7)) : event.length - 7;
    else events.push(event);
  }
  return { events: [...events, `body ${body}`], frames: wire.heard() };
}

const whole = outcome([conversation()]);

test('a conversation told whole', () => {
  expect(whole.events).toEqual([
    'settings',
    'request 1 GET / end',
    'request 3 POST /',
    'refused 400',
    'end 3 x-sum=1',
    'request 7 POST /',
    'reset 7 8',
    'closed 7',
    'goaway 0 0',
    'request 9 GET / end',
    'failed',
    'body 300',
  ]);
});

test('is the same byte by byte', () => {
  expect(outcome(byteByByte(conversation()))).toEqual(whole);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])('is the same with random cuts, seed %i', (seed) => {
  expect(outcome(cutAtRandom(conversation(), seed))).toEqual(whole);
});

test('bytes that are changed anywhere never make the engine throw, nor call after an end', () => {
  const bytes = conversation();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      fc.nat(1_000),
      (changes, seed) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of changes) changed[at] = byte;
        const wire = new Wire({ role: 'server' });
        const closed = new Set<unknown>();
        wire.react = (event, stream) => {
          expect(closed.has(stream)).toBe(false);
          if (event.startsWith('closed')) closed.add(stream);
        };
        wire.say(...cutAtRandom(changed, seed));
        expect(wire.told().filter((event) => event === 'failed').length).toBeLessThan(2);
        wire.heard();
      },
    ),
    { numRuns: 300 },
  );
});

test('random frames never make either role throw', () => {
  const arbitraryFrame = fc
    .tuple(fc.nat(12), fc.nat(255), fc.nat(8), fc.uint8Array({ maxLength: 40 }))
    .map(([type, flags, id, payload]) => frame(type, flags, id, Buffer.from(payload)));
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 30 }), fc.boolean(), (frames, server) => {
      const wire = server ? Wire.server() : Wire.client();
      if (server) wire.say(wire.headers(1, postFields(), 0), wire.headers(3, getFields()));
      else {
        wire.open(false, 'POST');
        wire.open();
      }
      wire.say(...frames);
      wire.heard();
    }),
    { numRuns: 500 },
  );
});
