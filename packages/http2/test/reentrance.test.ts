/** Owners may call anything from within a report: nothing is reported after the end of a stream, and nothing breaks. */
import { HeaderMap, ResponseHeader } from '@cirque/http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Http2Stream } from '../src/index.ts';
import {
  data,
  END_STREAM,
  frame,
  getFields,
  ping,
  postFields,
  reset,
  settings,
  uint32,
  Wire,
  windowUpdate,
} from './wire.ts';

type Act = (wire: Wire, stream: Http2Stream) => void;

const ACTS: Record<string, Act> = {
  nothing: () => {},
  head: (_wire, stream) => stream.writeHead(new ResponseHeader(200), false),
  'head and end': (_wire, stream) => stream.writeHead(new ResponseHeader(204), true),
  data: (_wire, stream) => void stream.writeData(Buffer.alloc(20_000, 'x'), 0, 20_000),
  end: (_wire, stream) => stream.end(),
  trailers: (_wire, stream) => stream.end(HeaderMap.from({ a: 'b' })),
  reset: (_wire, stream) => stream.reset(8),
  'reset in peace': (_wire, stream) => stream.reset(0),
  pause: (_wire, stream) => stream.pause(),
  resume: (_wire, stream) => stream.resume(),
  retain: (_wire, stream) => stream.retain(),
  release: (_wire, stream) => stream.release(),
  flush: (wire) => wire.connection.flush(),
  full: (wire) => {
    wire.full = true;
    wire.connection.flush();
  },
  drained: (wire) => {
    wire.full = false;
    wire.connection.sinkDrained();
  },
  goaway: (wire) => wire.connection.goaway(0),
  'reset all': (wire) => {
    for (const other of [...wire.connection.streams]) other.reset(8);
  },
  close: (wire) => wire.connection.close(),
};

const names = Object.keys(ACTS);

/** Misuse is answered by an error of its own; everything else must work. */
function act(wire: Wire, stream: Http2Stream, name: string): void {
  try {
    ACTS[name]?.(wire, stream);
  } catch (error) {
    expect((error as Error).message).toMatch(/HTTP\/2 stream: /);
  }
}

function checkClosing(wire: Wire): void {
  for (const id of wire.streams.keys()) {
    const events = wire.events.filter((event) => !event.startsWith('goaway') && event.split(' ')[1] === String(id));
    const closed = events.findIndex((event) => event.startsWith('closed'));
    if (closed >= 0) expect(closed, events.join()).toBe(events.length - 1);
    const gone = events.findIndex((event) => event.startsWith('reset'));
    if (gone >= 0) expect(events.slice(gone + 1).every((event) => event.startsWith('closed'))).toBe(true);
    if (closed >= 0) expect(wire.stream(id).closed).toBe(true);
  }
}

test('whatever a server does from within reports', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { maxLength: 60 }), fc.boolean(), (script, small) => {
      const wire = Wire.server({ limits: { maxResetsPerInterval: 5 }, settings: { maxConcurrentStreams: 5 } });
      if (small) wire.say(settings([4, 100]));
      let depth = 0;
      wire.react = (_event, stream) => {
        depth += 1;
        for (let i = 0; i < 3 && stream !== undefined && depth < 5; i++) act(wire, stream, script.shift() ?? 'nothing');
        depth -= 1;
      };
      for (let id = 1; id < 20; id += 2) {
        wire.say(
          Buffer.concat([
            wire.headers(id, id % 4 === 1 ? postFields() : getFields(), id % 4 === 1 ? 0 : END_STREAM),
            ...(id % 4 === 1
              ? [data(id, 'abc'), data(id, 'd'.repeat(3_000)), data(id, '', id === 5 ? 0 : END_STREAM)]
              : []),
            windowUpdate(id, 50),
            ping(),
            ...(id % 8 === 5 ? [reset(id, 8)] : []),
            windowUpdate(0, 1_000),
          ]),
        );
        for (const stream of wire.streams.values()) act(wire, stream, script.shift() ?? 'resume');
      }
      wire.full = false;
      wire.connection.sinkDrained();
      wire.heard();
      checkClosing(wire);
    }),
    { numRuns: 400 },
  );
});

test('whatever a client does from within reports', () => {
  const client = names.filter((name) => !name.startsWith('head'));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...client), { maxLength: 60 }), (script) => {
      const wire = Wire.client();
      wire.react = (_event, stream) => {
        if (stream !== undefined) act(wire, stream, script.shift() ?? 'nothing');
      };
      for (let id = 1; id < 16 && wire.connection.canOpenStream; id += 2) {
        const stream = wire.open(id % 4 === 1, 'POST');
        act(wire, stream, script.shift() ?? 'end');
        const block = wire.headers(id, [[':status', '200']], 0);
        wire.say(
          Buffer.concat([block, data(id, 'abc'), data(id, 'd', END_STREAM), ...(id % 4 === 3 ? [reset(id, 0)] : [])]),
        );
        act(wire, stream, script.shift() ?? 'resume');
      }
      wire.say(frame(7, 0, 0, uint32(3, 0)));
      wire.full = false;
      wire.connection.sinkDrained();
      wire.heard();
      checkClosing(wire);
    }),
    { numRuns: 400 },
  );
});

test('closing the connection from within any report ends all reports', () => {
  const script = (wire: Wire): void =>
    wire.say(
      Buffer.concat([
        wire.headers(1, postFields(), 0),
        data(1, 'abc'),
        wire.headers(1, [['x', 'y']]),
        wire.headers(3, postFields(), 0),
        reset(3, 8),
        settings(),
        frame(6, 1, 0, '12345678'),
        frame(7, 0, 0, uint32(0, 0)),
        wire.headers(5, getFields(['X', 'y'])),
        data(0, ''),
      ]),
    );
  const all = Wire.server();
  script(all);
  const count = all.events.length;
  expect(count).toBe(11);
  for (let stop = 0; stop < count; stop++) {
    const wire = Wire.server();
    wire.react = () => {
      if (wire.events.length === stop + 1) wire.connection.close();
    };
    script(wire);
    expect(wire.events).toEqual(all.events.slice(0, stop + 1));
  }
});
