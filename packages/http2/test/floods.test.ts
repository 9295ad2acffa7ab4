/** What a hostile peer may cost (security reference: rapid reset, MadeYouReset, CONTINUATION and control frame floods). */
import { ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import {
  data,
  type Fields,
  frame,
  getFields,
  ping,
  postFields,
  reset,
  SETTINGS_ACK,
  settings,
  uint32,
  Wire,
  windowUpdate,
} from './wire.ts';

const CALM = /^GOAWAY \d+ 11 /;

/** How often the frames can be said before the connection ends; 5,000: it does not. */
function endurance(wire: Wire, frames: (round: number) => Buffer[], rounds = 5_000): number {
  for (let round = 0; round < rounds; round++) {
    wire.say(...frames(round));
    if (wire.error !== undefined) {
      expect(wire.heard().at(-1)).toMatch(CALM);
      expect(wire.error.context).toMatch(/^ENHANCE_YOUR_CALM/);
      return round;
    }
    wire.events.length = 0;
  }
  return rounds;
}

describe('streams that come to nothing', () => {
  const open = (wire: Wire, round: number, fields: Fields = postFields()): Buffer =>
    wire.headers(round * 2 + 1, fields, 0);

  test('rapid reset', () => {
    const wire = Wire.server();
    expect(endurance(wire, (round) => [open(wire, round), reset(round * 2 + 1, 8)])).toBe(200);
  });

  test('rapid reset with another limit, within an interval', () => {
    const wire = Wire.server({ limits: { maxResetsPerInterval: 10 } });
    const frames = (round: number): Buffer[] => {
      wire.time = round * 1_000;
      return [open(wire, round), reset(round * 2 + 1, 8)];
    };
    // ten in each ten seconds pass for ever
    expect(endurance(wire, frames, 200)).toBe(200);
    const base = wire.time;
    expect(endurance(wire, (round) => [open(wire, round + 200), reset((round + 200) * 2 + 1, 8)])).toBeLessThan(12);
    expect(wire.time).toBe(base);
  });

  test('MadeYouReset', () => {
    const causes: ((id: number) => Buffer)[] = [
      (id) => windowUpdate(id, 0),
      (id) => windowUpdate(id, 0x7fff_ffff),
      (id) => frame(2, 0, id, 'ab'),
    ];
    for (const cause of causes) {
      const wire = Wire.server();
      expect(endurance(wire, (round) => [open(wire, round), cause(round * 2 + 1)])).toBe(200);
    }
  });

  test('malformed heads, also too large ones', () => {
    const wire = Wire.server();
    expect(endurance(wire, (round) => [open(wire, round, getFields(['X', 'y']))])).toBe(200);
    const large = Wire.server({ limits: { maxHeaderFields: 4 } });
    expect(endurance(large, (round) => [open(large, round, getFields(['x', 'y']))])).toBe(200);
  });

  test('more streams than allowed, once the settings are known', () => {
    const wire = Wire.server({ settings: { maxConcurrentStreams: 1 } });
    expect(endurance(wire, (round) => [open(wire, round)])).toBe(101);
    const early = new Wire({ role: 'server', settings: { maxConcurrentStreams: 1 } });
    early.say(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings());
    expect(endurance(early, (round) => [open(early, round)], 500)).toBe(500);
  });

  test('requests that are answered and then reset are no flood', () => {
    const wire = Wire.server();
    const rounds = endurance(
      wire,
      (round) => {
        const id = round * 2 + 1;
        wire.say(wire.headers(id, getFields()));
        wire.stream(id).writeHead(new ResponseHeader(204), true);
        wire.streams.clear();
        wire.requests.length = 0;
        return [reset(id, 8)];
      },
      1_500,
    );
    expect(rounds).toBe(1_500);
  });
});

describe('frames that ask for nothing', () => {
  const cases: [string, () => Buffer][] = [
    ['SETTINGS', () => settings([4, 65_535])],
    ['acknowledgements', () => SETTINGS_ACK],
    ['PING', () => ping()],
    ['answers to no PING', () => ping('12345678', 1)],
    ['PRIORITY', () => frame(2, 0, 7, Buffer.concat([uint32(9), Buffer.of(1)]))],
    ['WINDOW_UPDATE of the connection', () => windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', () => windowUpdate(1, 1)],
    ['WINDOW_UPDATE of a closed stream', () => windowUpdate(3, 1)],
    ['RST_STREAM of a closed stream', () => reset(3, 8)],
    ['empty DATA', () => data(1, '')],
    ['padded empty DATA', () => frame(0, 8, 1, '\x03\0\0\0')],
    ['empty DATA of a stream that was reset', () => data(5, '')],
    ['unknown frames', () => frame(99, 0, 1, 'x')],
    ['GOAWAY', () => frame(7, 0, 0, uint32(0, 0))],
  ];
  test.each(cases)('%s', (_what, bytes) => {
    const wire = Wire.server({ limits: { maxControlFramesPerInterval: 50 } });
    wire.say(wire.headers(1, postFields(), 0), wire.headers(3, getFields()), wire.headers(5, postFields(), 0));
    wire.stream(3).writeHead(new ResponseHeader(204), true);
    wire.stream(5).reset(8);
    const rounds = endurance(wire, () => [bytes()]);
    expect(rounds).toBeGreaterThan(40);
    expect(rounds).toBeLessThan(60);
  });

  test('slowly are no flood', () => {
    const wire = Wire.server({ limits: { maxControlFramesPerInterval: 11 } });
    const rounds = endurance(
      wire,
      (round) => {
        wire.time = round * 1_000;
        return [ping()];
      },
      500,
    );
    expect(rounds).toBe(500);
  });

  test('that requests and bodies justify are no flood', () => {
    const wire = Wire.server({ limits: { maxControlFramesPerInterval: 10 } });
    const rounds = endurance(
      wire,
      (round) => {
        const id = round * 2 + 1;
        wire.say(wire.headers(id, getFields()));
        const stream = wire.stream(id);
        stream.writeHead(new ResponseHeader(200), false);
        stream.writeData(Buffer.from('ok'), 0, 2);
        stream.end();
        return [
          windowUpdate(0, 2),
          windowUpdate(id, 2),
          frame(2, 0, id, Buffer.concat([uint32(0), Buffer.of(1)])),
          ping(),
        ];
      },
      300,
    );
    expect(rounds).toBe(300);
  });

  test('of a client that announces room in steps of 4 KiB, as Go does, are no flood', () => {
    const wire = Wire.server({ limits: { maxControlFramesPerInterval: 20 } });
    wire.say(wire.headers(1, getFields()));
    const stream = wire.stream(1);
    stream.writeHead(new ResponseHeader(200), false);
    const steps = Array.from({ length: 4 }, () => [windowUpdate(1, 4_096), windowUpdate(0, 4_096)]).flat();
    const rounds = endurance(
      wire,
      () => {
        stream.writeData(Buffer.alloc(16_384), 0, 16_384);
        return steps;
      },
      500,
    );
    expect(rounds).toBe(500);
  });

  test('a window that lets through single bytes justifies nothing (CVE-2019-9511)', () => {
    const wire = Wire.server({ limits: { maxControlFramesPerInterval: 50 } });
    wire.say(settings([4, 0]), wire.headers(1, getFields()));
    wire.stream(1).writeHead(new ResponseHeader(200), false);
    wire.stream(1).writeData(Buffer.alloc(10_000), 0, 10_000);
    expect(endurance(wire, () => [windowUpdate(1, 1)])).toBeLessThan(60);
  });

  test('answers to them that are not read', () => {
    const wire = Wire.server({ limits: { maxPendingBytes: 1_000, maxControlFramesPerInterval: 1_000_000 } });
    wire.full = true;
    wire.connection.ping(0n);
    wire.connection.flush();
    wire.heard();
    // 17 bytes each; none was written, so nothing but GOAWAY is
    expect(endurance(wire, () => [ping()])).toBe(58);
    expect(wire.heard()).toEqual([]);
  });
});

describe('header blocks', () => {
  test('of too many CONTINUATION frames, empty ones too', () => {
    for (const [frames, ends] of [
      [16, false],
      [17, true],
    ] as const) {
      const wire = Wire.server();
      const block = wire.block(getFields());
      wire.say(frame(1, 1, 1, block));
      for (let i = 1; i < frames; i++) wire.say(frame(9, 0, 1));
      wire.say(frame(9, 4, 1));
      expect(wire.error !== undefined).toBe(ends);
      if (ends) expect(wire.heard().at(-1)).toMatch(CALM);
      else expect(wire.told()).toEqual(['request 1 GET / end']);
    }
  });

  test('of too many bytes', () => {
    const wire = Wire.server({ limits: { maxHeaderListBytes: 20_000 } });
    wire.say(frame(1, 1, 1, Buffer.alloc(16_000)), frame(9, 0, 1, Buffer.alloc(4_001)));
    expect(wire.heard().at(-1)).toMatch(CALM);
  });

  test('that grow when they are decoded make no text', () => {
    const wire = Wire.server();
    // one entry of 4,000 bytes, then 12,000 references to it: 48 MB
    const entry = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), Buffer.alloc(4_000, 'v')]);
    const bomb = Buffer.concat([entry, Buffer.alloc(12_000, 0xbe)]);
    const before = process.memoryUsage().heapUsed;
    wire.say(frame(1, 5, 1, bomb));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000);
    expect(wire.heard()).toEqual(['HEADERS 1 end :status=431 content-length=0']);
  });

  test('with made-up names are judged without end', () => {
    const wire = Wire.server();
    for (let i = 0; i < 100; i++) {
      const id = i * 2 + 1;
      wire.say(
        wire.headers(id, getFields(...Array.from({ length: 50 }, (_, j): [string, string] => [`x-${i}-${j}`, 'y']))),
      );
      wire.stream(id).writeHead(new ResponseHeader(204), true);
    }
    expect(wire.requests).toHaveLength(100);
    expect(wire.requests[99]?.getHeader('x-99-49')).toBe('y');
  });
});

test('a client counts control frames and informational heads, but no resets', () => {
  const wire = Wire.client();
  // SETTINGS was the first
  expect(endurance(wire, () => [ping()])).toBe(999);
  const other = Wire.client();
  const stream = other.open();
  expect(endurance(other, () => [other.headers(stream.id, [[':status', '103']], 0)])).toBeGreaterThan(990);
});
