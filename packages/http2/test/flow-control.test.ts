/** Windows in both directions, turns between streams, pausing, and a sink that is full. */
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import type { Http2Options } from '../src/index.ts';
import {
  data,
  END_STREAM,
  frame,
  getFields,
  PADDED,
  postFields,
  reset,
  SETTINGS_ACK,
  settings,
  uint32,
  Wire,
  windowUpdate,
} from './wire.ts';

/** A server with requests open on these streams. */
function withRequests(ids: number[], options: Partial<Http2Options> = {}): Wire {
  const wire = Wire.server(options);
  for (const id of ids) wire.say(wire.headers(id, postFields(), 0));
  wire.told();
  return wire;
}

function respond(wire: Wire, id: number, text: string, end = false): boolean {
  const stream = wire.stream(id);
  stream.writeHead(new ResponseHeader(200), false);
  const more = stream.writeData(Buffer.from(text), 0, text.length);
  if (end) stream.end();
  return more;
}

describe('receiving', () => {
  test('gives room back when half a window was consumed, on the stream while it goes on', () => {
    const wire = withRequests([1], { connectionWindowSize: 65_535, settings: { initialWindowSize: 20_000 } });
    wire.say(data(1, 'x'.repeat(9_999)));
    expect(wire.heard()).toEqual([]);
    wire.say(data(1, 'x'));
    expect(wire.heard()).toEqual(['WINDOW_UPDATE 1 10000']);
    for (let sent = 10_000; sent < 32_000; sent += 1_000) wire.say(data(1, 'x'.repeat(1_000)));
    expect(wire.heard()).toEqual(['WINDOW_UPDATE 1 10000', 'WINDOW_UPDATE 1 10000']);
    wire.say(data(1, 'x'.repeat(10_000), END_STREAM));
    // more than half of the window of the connection; the stream needs no room any more
    expect(wire.heard()).toEqual(['WINDOW_UPDATE 0 42000']);
  });

  test('counts padding, and gives its room back too', () => {
    const wire = withRequests([1], { settings: { initialWindowSize: 600 } });
    const padded = frame(0, PADDED, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(256)]));
    for (let i = 0; i < 10; i++) wire.say(padded);
    expect(wire.error).toBeUndefined();
    expect(wire.heard()).toHaveLength(5);
  });

  test.each([
    ['stream', { settings: { initialWindowSize: 10 } }, ['RST 1 3']],
    ['connection', { connectionWindowSize: 65_535, settings: { initialWindowSize: 100_000 } }, []],
  ])('more than the window of the %s allows is an error', (what, options, expected) => {
    const wire = withRequests([1], options);
    wire.stream(1).pause();
    if (what === 'stream') wire.say(data(1, 'x'.repeat(10)), data(1, 'x'));
    else for (let i = 0; i < 5; i++) wire.say(data(1, 'x'.repeat(16_000)));
    const heard = wire.heard();
    if (what === 'stream') expect(heard).toEqual(expected);
    else expect(heard).toEqual(['GOAWAY 1 3 more DATA than the window of the connection allows']);
  });

  test('room of discarded DATA is given back to the connection', () => {
    const wire = withRequests([1], { connectionWindowSize: 65_535 });
    wire.stream(1).pause();
    wire.say(data(1, 'x'.repeat(16_000)), data(1, 'x'.repeat(16_000)));
    wire.stream(1).reset(8);
    wire.say(data(1, 'x'.repeat(16_000)), data(1, 'x'.repeat(16_000)));
    expect(wire.heard()).toEqual(['RST 1 8', 'WINDOW_UPDATE 0 48000']);
  });

  test('what may still come for streams that were reset is what their windows allowed', () => {
    const wire = withRequests([1], { settings: { initialWindowSize: 100, maxConcurrentStreams: 2 } });
    wire.say(data(1, 'x'.repeat(30)));
    wire.stream(1).reset(8);
    wire.say(
      wire.headers(3, postFields(['X', 'y']), 0),
      wire.headers(5, postFields(), 0),
      wire.headers(7, postFields(), 0),
    );
    wire.say(wire.headers(9, postFields(), 0));
    // 70 of the first, 100 of the malformed one, 100 of the one too many
    wire.say(data(9, 'x'.repeat(100)), data(3, 'x'.repeat(100)), data(1, 'x'.repeat(70)));
    expect(wire.error).toBeUndefined();
    wire.say(data(1, 'x'));
    expect(wire.heard().at(-1)).toBe('GOAWAY 7 3 more DATA than the window of a stream allowed');
  });

  test('what may still come before settings are acknowledged is what the larger window allows', () => {
    const wire = new Wire({ role: 'server', settings: { initialWindowSize: 80_000 } });
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    wire.say(preface, settings(), wire.headers(1, postFields(), 0), wire.headers(3, postFields(['X', 'y']), 0));
    wire.stream(1).pause();
    const chunk = data(1, 'x'.repeat(16_000));
    wire.say(chunk, chunk, chunk, chunk);
    wire.stream(1).reset(8);
    wire.say(SETTINGS_ACK, chunk, ...Array.from({ length: 5 }, () => data(3, 'x'.repeat(16_000))));
    expect(wire.error).toBeUndefined();
    wire.say(data(1, 'x'));
    expect(wire.heard().at(-1)).toBe('GOAWAY 1 3 more DATA than the window of a stream allowed');
  });

  test('a window announced smaller applies from the acknowledgement on', () => {
    const wire = new Wire({ role: 'server', settings: { initialWindowSize: 5 } });
    wire.say(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(), wire.headers(1, postFields(), 0));
    wire.stream(1).pause();
    wire.say(data(1, 'x'.repeat(100)));
    wire.heard();
    wire.say(SETTINGS_ACK, data(1, 'x'));
    expect(wire.heard()).toEqual(['RST 1 3']);
  });
});

describe('pause', () => {
  test('keeps everything until resume, also from within a report', () => {
    const wire = withRequests([1]);
    const stream = wire.stream(1);
    wire.react = (event) => {
      if (event === 'data 1 b') stream.pause();
    };
    wire.say(data(1, 'a'), data(1, 'b'), data(1, 'c'), data(1, 'd'), wire.headers(1, [['x', 'y']]));
    expect(wire.told()).toEqual(['data 1 a', 'data 1 b']);
    expect(stream.remoteClosed).toBe(true);
    stream.resume();
    expect(wire.told()).toEqual(['data 1 cd', 'end 1 x=y']);
    stream.resume();
    expect(wire.told()).toEqual([]);
  });

  test('within resume keeps the rest, and resume within resume is no recursion', () => {
    const wire = withRequests([1]);
    const stream = wire.stream(1);
    stream.pause();
    const big = 'x'.repeat(4_000);
    wire.say(data(1, big), data(1, big), data(1, big, END_STREAM));
    wire.react = () => stream.pause();
    stream.resume();
    expect(wire.told()).toEqual(['data 1 4000']);
    let depth = 0;
    wire.react = () => {
      depth += 1;
      expect(depth).toBe(1);
      stream.pause();
      stream.resume();
      depth -= 1;
    };
    stream.resume();
    expect(wire.told()).toEqual(['data 1 4000', 'data 1 4000', 'end 1']);
  });

  test('does not keep a reset back', () => {
    const wire = withRequests([1]);
    wire.stream(1).pause();
    wire.say(data(1, 'abc', END_STREAM), reset(1, 8));
    expect(wire.told()).toEqual(['reset 1 8', 'closed 1']);
    wire.stream(1).resume();
    expect(wire.told()).toEqual([]);
  });

  test('keeps single bytes in little memory', () => {
    const wire = withRequests([1], {
      settings: { initialWindowSize: 60_000 },
      limits: { maxControlFramesPerInterval: 10 },
    });
    wire.stream(1).pause();
    const byte = data(1, 'x');
    const before = process.memoryUsage().arrayBuffers;
    wire.say(Buffer.concat(Array.from({ length: 60_000 }, () => byte)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
    let bytes = 0;
    wire.react = (event) => (bytes += event.startsWith('data') ? Number(event.slice(7)) || 1 : 0);
    wire.stream(1).resume();
    expect(bytes).toBe(60_000);
  });

  test('reset within resume ends it', () => {
    const wire = withRequests([1]);
    const stream = wire.stream(1);
    stream.pause();
    wire.say(data(1, 'x'.repeat(4_000)), data(1, 'y'.repeat(4_000), END_STREAM));
    wire.react = (event) => {
      if (event.startsWith('data')) stream.reset(8);
    };
    stream.resume();
    expect(wire.told()).toEqual(['data 1 4000', 'closed 1']);
  });
});

describe('sending', () => {
  test('stops at the window of the stream and goes on with it', () => {
    const wire = withRequests([1]);
    wire.say(settings([4, 5]));
    wire.heard();
    expect(respond(wire, 1, 'abcdefgh', true)).toBe(true);
    expect(wire.stream(1).bytesQueued).toBe(3);
    wire.connection.flush();
    expect(wire.heard()).toEqual(['HEADERS 1 :status=200', 'DATA 1 abcde']);
    wire.say(windowUpdate(1, 2));
    expect(wire.heard()).toEqual(['DATA 1 fg']);
    wire.say(settings([4, 100]));
    expect(wire.heard()).toEqual(['SETTINGS ack', 'DATA 1 end h']);
    expect(wire.stream(1).bytesQueued).toBe(0);
  });

  test('a window below zero must be filled first', () => {
    const wire = withRequests([1]);
    respond(wire, 1, 'x'.repeat(1_000));
    wire.say(settings([4, 500]));
    wire.stream(1).writeData(Buffer.from('y'), 0, 1);
    wire.connection.flush();
    wire.heard();
    // 500 - 1,000
    wire.say(windowUpdate(1, 500));
    expect(wire.heard()).toEqual([]);
    wire.say(windowUpdate(1, 1));
    expect(wire.heard()).toEqual(['DATA 1 y']);
  });

  test('shares the window of the connection in turns of a frame', () => {
    const wire = withRequests([1, 3]);
    wire.say(settings([4, 200_000]));
    wire.heard();
    expect(respond(wire, 1, 'a'.repeat(60_000))).toBe(true);
    wire.stream(1).writeData(Buffer.from('a'.repeat(40_000)), 0, 40_000);
    expect(respond(wire, 3, 'b'.repeat(40_000))).toBe(false);
    wire.connection.flush();
    const bytes = (frames: string[], id: number): number =>
      frames
        .filter((text) => text.startsWith(`DATA ${id} `))
        .reduce((sum, text) => sum + Number(text.split(' ')[2]), 0);
    const before = wire.heard();
    expect([bytes(before, 1), bytes(before, 3)]).toEqual([65_535, 0]);
    wire.say(windowUpdate(0, 65_536));
    const after = wire.heard();
    expect(after.slice(0, 4)).toEqual(['DATA 1 16384', 'DATA 3 16384', 'DATA 1 16384', 'DATA 3 16384']);
    // never more than the window
    expect(bytes(after, 1) + bytes(after, 3)).toBe(65_536);
  });

  test('whoever waits for the connection goes before a later writer', () => {
    const wire = withRequests([1, 3]);
    wire.say(settings([4, 200_000]));
    respond(wire, 1, 'a'.repeat(65_537));
    wire.connection.flush();
    wire.heard();
    wire.connection.feed(windowUpdate(0, 3), 0, 13);
    respond(wire, 3, 'b');
    wire.connection.flush();
    expect(wire.heard()).toEqual(['HEADERS 3 :status=200', 'DATA 1 aa', 'DATA 3 b']);
  });

  test('trailers and empty bodies need no window', () => {
    const wire = withRequests([1, 3]);
    wire.say(settings([4, 0]));
    wire.heard();
    wire.stream(1).writeHead(new ResponseHeader(200), false);
    wire.stream(1).end(HeaderMap.from({ a: 'b' }));
    wire.stream(3).writeHead(new ResponseHeader(200), false);
    wire.stream(3).end();
    wire.connection.flush();
    expect(wire.heard()).toEqual(['HEADERS 1 :status=200', 'HEADERS 1 end a=b', 'HEADERS 3 end :status=200']);
  });

  test('asks the writer to wait, and says when there is room', () => {
    const wire = withRequests([1]);
    wire.say(settings([4, 0]));
    const stream = wire.stream(1);
    expect(respond(wire, 1, 'x'.repeat(16_384))).toBe(true);
    expect(stream.writeData(Buffer.from('y'), 0, 1)).toBe(false);
    wire.told();
    wire.say(windowUpdate(1, 8_192));
    expect(wire.told()).toEqual([]);
    wire.react = (event) => {
      if (event !== 'writable 1') return;
      stream.writeData(Buffer.from('z'), 0, 1);
      stream.end();
    };
    wire.say(windowUpdate(1, 8_192));
    expect(wire.told()).toEqual(['writable 1']);
    wire.heard();
    wire.say(windowUpdate(1, 10));
    expect(wire.heard()).toEqual(['DATA 1 end yz']);
  });

  test('forgets what a reset stream had queued', () => {
    const wire = withRequests([1, 3]);
    wire.say(settings([4, 1]));
    respond(wire, 1, 'abc', true);
    respond(wire, 3, 'abc', true);
    wire.stream(3).reset(2);
    wire.say(reset(1, 8), windowUpdate(1, 10), windowUpdate(3, 10));
    expect(wire.heard().filter((text) => text.startsWith('DATA'))).toEqual(['DATA 1 a', 'DATA 3 a']);
  });
});

describe('a full sink', () => {
  test('keeps heads, bodies and ends in their streams, in order', () => {
    const wire = withRequests([1, 3]);
    wire.full = true;
    respond(wire, 1, 'a');
    wire.connection.flush();
    wire.heard();
    const stream = wire.stream(3);
    stream.writeHead(new ResponseHeader(103), false);
    const header = new ResponseHeader(200);
    stream.writeHead(header, false);
    header.insertHeader('too', 'late');
    stream.writeData(Buffer.from('b'), 0, 1);
    stream.end(HeaderMap.from({ t: '1' }));
    wire.stream(1).end();
    wire.say(wire.headers(5, getFields()));
    wire.stream(5).writeHead(new ResponseHeader(204), true);
    wire.connection.flush();
    expect(wire.heard()).toEqual([]);
    expect(wire.connection.openStreams).toBe(3);
    wire.full = false;
    wire.connection.sinkDrained();
    expect(wire.heard()).toEqual([
      'HEADERS 3 :status=103',
      'HEADERS 3 :status=200',
      'DATA 3 b',
      'HEADERS 3 end t=1',
      'DATA 1 end',
      'HEADERS 5 end :status=204',
    ]);
    expect(wire.told()).toEqual(['request 5 GET / end', 'closed 5']);
  });

  test('gets large output in parts, and stops it', () => {
    const wire = withRequests([1]);
    wire.say(settings([4, 1_000_000]), windowUpdate(0, 1_000_000));
    wire.heard();
    wire.full = true;
    wire.stream(1).writeHead(new ResponseHeader(200), false);
    const before = wire.writes;
    expect(wire.stream(1).writeData(Buffer.alloc(500_000), 0, 500_000)).toBe(false);
    expect(wire.writes).toBe(before + 1);
    expect(wire.stream(1).bytesQueued).toBeGreaterThan(410_000);
    wire.full = false;
    wire.connection.sinkDrained();
    expect(wire.stream(1).bytesQueued).toBe(0);
    const sent = wire.heard().filter((text) => text.startsWith('DATA'));
    expect(sent.reduce((sum, text) => sum + Number(text.split(' ')[2]), 0)).toBe(500_000);
    expect(wire.told()).toEqual(['settings', 'writable 1']);
  });

  test('sends small frames in order meanwhile', () => {
    const wire = withRequests([1]);
    wire.full = true;
    respond(wire, 1, 'a');
    wire.connection.flush();
    wire.heard();
    wire.say(frame(6, 0, 0, 'abcdefgh'), settings(), data(1, 'x'));
    wire.connection.ping(0n);
    wire.stream(1).reset(8);
    wire.connection.goaway(0);
    wire.connection.flush();
    wire.full = false;
    wire.connection.sinkDrained();
    expect(wire.heard()).toEqual([
      'PING ack abcdefgh',
      'SETTINGS ack',
      'PING \0\0\0\0\0\0\0\0',
      'RST 1 8',
      'GOAWAY 1 0',
    ]);
  });
});

test('close forgets everything silently', () => {
  const wire = withRequests([1, 3]);
  wire.say(settings([4, 0]));
  respond(wire, 1, 'abc', true);
  wire.react = (event) => {
    if (event.startsWith('data')) wire.connection.close();
  };
  const after = Buffer.concat([data(1, 'x'), data(1, 'y'), wire.headers(5, getFields()), frame(0, 0, 0, uint32(1))]);
  wire.told();
  wire.heard();
  wire.say(after);
  expect(wire.told()).toEqual(['data 1 x']);
  wire.connection.sinkDrained();
  expect(wire.heard()).toEqual([]);
  expect([...wire.connection.streams]).toEqual([]);
  expect(wire.connection.openStreams).toBe(0);
});
