/** Rules of the connection: order, sizes, settings, windows, closed and idle streams. */
import { ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { ErrorCode, errorCodeName, type Http2Options, PREFACE } from '../src/index.ts';
import {
  ACK,
  data,
  END_STREAM,
  frame,
  getFields,
  goaway,
  PADDED,
  PRIORITY,
  ping,
  postFields,
  reset,
  SETTINGS_ACK,
  settings,
  uint32,
  Wire,
  windowUpdate,
} from './wire.ts';

/** Says the frames to a server that has one request open on 1, one closed on 3 and one half-closed on 5. */
function outcome(frames: (wire: Wire) => Buffer[], options: Partial<Http2Options> = {}): string[] {
  const wire = Wire.server(options);
  wire.say(wire.headers(1, postFields(), 0), wire.headers(3, getFields()), wire.headers(5, getFields()));
  wire.stream(3).writeHead(new ResponseHeader(204), true);
  wire.connection.flush();
  wire.heard();
  wire.told();
  wire.say(...frames(wire));
  return wire.heard();
}

test('unfinishedHead is the number of a block until its last CONTINUATION has come', () => {
  const wire = Wire.server();
  const whole = wire.headers(1, getFields());
  const [flags, id, half] = [END_STREAM, 1, 9 + 3];
  expect(wire.connection.unfinishedHead).toBe(0);
  wire.say(frame(1, flags, id, whole.subarray(9, half)));
  const block = wire.connection.unfinishedHead;
  expect(block).not.toBe(0);
  wire.say(frame(9, 0, id, whole.subarray(half, half + 1)));
  expect(wire.connection.unfinishedHead).toBe(block);
  wire.say(frame(9, 4, id, whole.subarray(half + 1)));
  expect(wire.connection.unfinishedHead).toBe(0);
  wire.say(frame(1, flags, 3, wire.headers(3, getFields()).subarray(9)));
  expect([0, block]).not.toContain(wire.connection.unfinishedHead);
});

describe('start', () => {
  test('of a server announces its settings and window', () => {
    const wire = new Wire({ role: 'server' });
    expect(wire.heard()).toEqual(['SETTINGS 3=100 6=65536', 'WINDOW_UPDATE 0 983041']);
    const other = new Wire({
      role: 'server',
      connectionWindowSize: 65_535,
      settings: { initialWindowSize: 1_000, maxFrameSize: 20_000, enableConnectProtocol: true, headerTableSize: 0 },
      limits: { maxHeaderListBytes: 1_000 },
    });
    expect(other.heard()).toEqual(['SETTINGS 1=0 3=100 4=1000 5=20000 6=1000 8=1']);
  });

  test('of a client sends the preface first and switches push off', () => {
    const wire = new Wire({ role: 'client' });
    expect(wire.heard()).toEqual(['SETTINGS 2=0 6=65536', 'WINDOW_UPDATE 0 983041']);
  });

  test('needs the preface, then SETTINGS', () => {
    const cases: [Buffer[], string][] = [
      [[Buffer.from('GET / HTTP/1.1\r\n')], 'the client does not begin with the connection preface'],
      [[PREFACE.subarray(0, 23), Buffer.from('x')], 'the client does not begin with the connection preface'],
      [[PREFACE, ping()], 'the first frame is not SETTINGS'],
      [[PREFACE, SETTINGS_ACK], 'the first frame is not SETTINGS'],
      [[PREFACE, data(1, 'x')], 'the first frame is not SETTINGS'],
      [[PREFACE, frame(99, 0, 0)], 'the first frame is not SETTINGS'],
      [[PREFACE, frame(9, 4, 1)], 'CONTINUATION on stream 1, where no header block is open'],
    ];
    for (const [chunks, message] of cases) {
      const wire = new Wire({ role: 'server' });
      wire.heard();
      wire.say(...chunks);
      expect(wire.heard()).toEqual([`GOAWAY 0 1 ${message}`]);
      expect(wire.told()).toEqual(['failed']);
      expect(wire.error).toMatchObject({ source: 'Downstream', context: `PROTOCOL_ERROR: ${message}` });
    }
  });

  test('of an upstream that speaks something else is InvalidH2', () => {
    const wire = new Wire({ role: 'client' });
    wire.say(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(wire.error).toMatchObject({ type: 'InvalidH2', source: 'Upstream' });
  });

  test('is acknowledged', () => {
    const wire = new Wire({ role: 'server' });
    wire.heard();
    expect(wire.connection.settingsReceived).toBe(false);
    wire.say(PREFACE, settings([3, 7], [4, 100], [6, 5_000], [99, 1]));
    expect(wire.heard()).toEqual(['SETTINGS ack']);
    expect(wire.told()).toEqual(['settings']);
    expect(wire.connection.settingsReceived).toBe(true);
    expect(wire.connection.localSettingsAcked).toBe(false);
    expect(wire.connection.remoteSettings).toEqual({
      headerTableSize: 4_096,
      enablePush: true,
      maxConcurrentStreams: 7,
      initialWindowSize: 100,
      maxFrameSize: 16_384,
      maxHeaderListSize: 5_000,
      enableConnectProtocol: false,
    });
    wire.say(SETTINGS_ACK);
    expect(wire.connection.localSettingsAcked).toBe(true);
  });
});

describe('frames that end the connection', () => {
  const long =
    (type: number, flags: number, id: number, bytes: number): (() => Buffer[]) =>
    () => [frame(type, flags, id, Buffer.alloc(bytes))];
  const cases: [string, number, (wire: Wire) => Buffer[]][] = [
    ['a frame that is too large', 6, long(0, 0, 1, 16_385)],
    ['an unknown frame that is too large', 6, long(99, 0, 1, 16_385)],
    ['DATA on stream 0', 1, () => [data(0, 'x')]],
    ['DATA on an idle stream', 1, () => [data(7, 'x')]],
    ['DATA on an even stream', 1, () => [data(2, 'x')]],
    ['DATA on a closed stream', 5, () => [data(3, 'x')]],
    ['DATA with too much padding', 1, () => [frame(0, PADDED, 1, '\x02ab'.slice(0, 2))]],
    ['padded DATA without a length', 6, () => [frame(0, PADDED, 1)]],
    ['HEADERS on stream 0', 1, (wire) => [wire.headers(0, getFields())]],
    ['HEADERS on an even stream', 1, (wire) => [wire.headers(8, getFields())]],
    ['HEADERS on a closed stream', 5, (wire) => [wire.headers(3, getFields())]],
    ['HEADERS on a stream that was skipped', 1, (wire) => [wire.headers(9, getFields()), wire.headers(7, getFields())]],
    ['HEADERS with too much padding', 1, () => [frame(1, PADDED | 4, 7, '\x05ab')]],
    ['padded HEADERS without a length', 6, () => [frame(1, PADDED | 4, 7)]],
    ['HEADERS with half a priority', 6, () => [frame(1, PRIORITY | 4, 7, 'abcd')]],
    ['an empty padded HEADERS with priority', 6, () => [frame(1, PRIORITY | PADDED | 4, 7, '\0abcd')]],
    ['a block that HPACK cannot read', 9, () => [frame(1, 4, 7, '\x80')]],
    ['a block that is cut', 9, () => [frame(1, 4, 7, '\x40\x0a')]],
    ['a frame in a block', 1, () => [frame(1, 0, 7), ping()]],
    ['DATA in a block', 1, () => [frame(1, 0, 7), data(1, 'x')]],
    ['an unknown frame in a block', 1, () => [frame(1, 0, 7), frame(99, 0, 0)]],
    ['HEADERS in a block', 1, (wire) => [frame(1, 0, 7), wire.headers(7, getFields())]],
    ['CONTINUATION of another stream', 1, () => [frame(1, 0, 7), frame(9, 4, 9)]],
    ['CONTINUATION without HEADERS', 1, () => [frame(9, 4, 1)]],
    ['CONTINUATION after END_HEADERS', 1, (wire) => [wire.headers(7, getFields()), frame(9, 4, 7)]],
    ['PRIORITY on stream 0', 1, long(2, 0, 0, 5)],
    ['PRIORITY of a wrong size on an idle stream', 6, long(2, 0, 7, 4)],
    ['PRIORITY of an idle stream on itself', 1, () => [frame(2, 0, 7, Buffer.concat([uint32(7), Buffer.of(1)]))]],
    ['RST_STREAM on stream 0', 1, () => [reset(0, 8)]],
    ['RST_STREAM on an idle stream', 1, () => [reset(7, 8)]],
    ['RST_STREAM of a wrong size', 6, long(3, 0, 1, 3)],
    ['SETTINGS on a stream', 1, () => [frame(4, 0, 1)]],
    ['SETTINGS of a wrong size', 6, long(4, 0, 0, 7)],
    ['an acknowledgement with a payload', 6, long(4, ACK, 0, 6)],
    ['enablePush 2', 1, () => [settings([2, 2])]],
    ['a window of 2**31', 3, () => [settings([4, 2 ** 31])]],
    ['a frame size below 16,384', 1, () => [settings([5, 16_383])]],
    ['a frame size above 16,777,215', 1, () => [settings([5, 16_777_216])]],
    ['enableConnectProtocol 2', 1, () => [settings([8, 2])]],
    ['enableConnectProtocol taken back', 1, () => [settings([8, 1]), settings([8, 0])]],
    ['PUSH_PROMISE', 1, long(5, 4, 1, 4)],
    ['PING on a stream', 1, () => [frame(6, 0, 1, '12345678')]],
    ['PING of a wrong size', 6, long(6, 0, 0, 7)],
    ['GOAWAY on a stream', 1, long(7, 0, 1, 8)],
    ['GOAWAY of a wrong size', 6, long(7, 0, 0, 7)],
    ['WINDOW_UPDATE by 0', 1, () => [windowUpdate(0, 0)]],
    ['WINDOW_UPDATE of a wrong size', 6, long(8, 0, 0, 5)],
    ['WINDOW_UPDATE on an idle stream', 1, () => [windowUpdate(7, 1)]],
    ['a connection window that is too large', 3, () => [windowUpdate(0, 2 ** 31 - 1)]],
    ['an initial window that makes one too large', 3, () => [windowUpdate(1, 2 ** 31 - 65_536), settings([4, 65_536])]],
  ];
  test.each(cases)('%s', (_what, code, frames) => {
    const last = outcome(frames).at(-1) ?? '';
    expect(last).toMatch(new RegExp(`^GOAWAY \\d+ ${code} .`));
  });

  test('are the last that is read, written or reported', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(), 0));
    wire.told();
    wire.say(Buffer.concat([data(0, 'x'), wire.headers(3, getFields()), ping()]));
    expect(wire.told()).toEqual(['failed']);
    expect(wire.error).toMatchObject({ type: 'H2Error', source: 'Downstream' });
    expect(wire.heard()).toEqual(['GOAWAY 1 1 DATA on stream 0']);
    expect([...wire.connection.streams].map(({ id }) => id)).toEqual([1]);
    wire.say(ping());
    const stream = wire.stream(1);
    stream.writeHead(new ResponseHeader(200), true);
    stream.reset(8);
    wire.connection.ping(1n);
    wire.connection.goaway(0);
    wire.connection.updateSettings({ initialWindowSize: 1 });
    wire.connection.flush();
    expect(wire.heard()).toEqual([]);
    expect(wire.told()).toEqual([]);
  });
});

describe('frames that end a stream', () => {
  const cases: [string, string, (wire: Wire) => Buffer[]][] = [
    ['DATA after the end', 'RST 5 5', () => [data(5, 'x')]],
    ['HEADERS after the end', 'RST 5 5', (wire) => [wire.headers(5, [['x', 'y']])]],
    ['WINDOW_UPDATE by 0', 'RST 1 1', () => [windowUpdate(1, 0)]],
    ['a window that is too large', 'RST 1 3', () => [windowUpdate(1, 2 ** 31 - 1)]],
    ['PRIORITY of a wrong size', 'RST 1 6', () => [frame(2, 0, 1, 'abcd')]],
    ['PRIORITY on itself', 'RST 1 1', () => [frame(2, 0, 1, Buffer.concat([uint32(1), Buffer.of(1)]))]],
  ];
  test.each(cases)('%s', (_what, expected, frames) => {
    expect(outcome(frames)).toEqual([expected]);
  });

  test('are followed by nothing but the end of the stream', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(), 0), windowUpdate(1, 0), data(1, 'x'), reset(1, 8), windowUpdate(1, 5));
    expect(wire.told()).toEqual(['request 1 POST /', 'reset 1 1 by us', 'closed 1']);
    wire.say(wire.headers(1, [['x', 'y']]));
    expect(wire.error).toBeUndefined();
  });
});

describe('frames without effect', () => {
  const cases: [string, (wire: Wire) => Buffer[]][] = [
    ['unknown ones', () => [frame(99, 255, 77, 'abc'), frame(10, 0, 0)]],
    [
      'PRIORITY on any stream',
      () => [1, 3, 5, 8, 101].map((id) => frame(2, 0, id, Buffer.concat([uint32(0x8000_0000), Buffer.of(9)]))),
    ],
    ['RST_STREAM and WINDOW_UPDATE on a closed stream', () => [reset(3, 8), windowUpdate(3, 1), windowUpdate(3, 0)]],
    ['unknown settings', () => [settings([99, 1])].map((bytes) => bytes)],
    ['an acknowledgement too many', () => [SETTINGS_ACK]],
    ['an answer to no ping', () => [ping('12345678', ACK)]],
    ['GOAWAY', () => [goaway(0, 0)]],
    ['undefined flags', () => [frame(0, 0xf6, 1, '\0x'), frame(8, 255, 0, uint32(1))]],
    ['the reserved bit', () => [frame(0, 0, 0x8000_0001, 'x')]],
  ];
  test.each(cases)('%s', (_what, frames) => {
    expect(outcome(frames).filter((text) => text !== 'SETTINGS ack')).toEqual([]);
  });
});

describe('closed streams', () => {
  test('of which we reset one are told apart long after', () => {
    const wire = Wire.server({ settings: { maxConcurrentStreams: 10 } });
    const answer = (id: number): void => {
      wire.say(wire.headers(id, getFields()));
      wire.stream(id).writeHead(new ResponseHeader(204), true);
    };
    answer(1);
    wire.say(wire.headers(3, postFields(), 0));
    wire.stream(3).reset(8);
    for (let id = 5; id < 205; id += 2) answer(id);
    wire.heard();
    // forgotten one by one, but known to be before the last reset of ours
    wire.say(data(3, 'x'), data(1, 'x'), wire.headers(3, getFields()));
    expect(wire.error).toBeUndefined();
    wire.say(data(5, 'x'));
    expect(wire.heard().at(-1)).toBe('GOAWAY 203 5 DATA on stream 5, which is closed');
  });
});

describe('ping', () => {
  test('is answered, and ours are recognised', () => {
    const wire = Wire.server();
    wire.say(ping('abcdefgh'));
    expect(wire.heard()).toEqual(['PING ack abcdefgh']);
    wire.connection.ping(0x3132_3334_3536_3738n);
    wire.connection.flush();
    expect(wire.heard()).toEqual(['PING 12345678']);
    wire.say(ping('12345678', ACK));
    expect(wire.told()).toEqual(['pong 3544952156018063160']);
  });
});

describe('goaway', () => {
  test('in two steps ends with the last request that was reported', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(), 0));
    wire.connection.goaway(0, 2 ** 31 - 1);
    wire.say(wire.headers(3, postFields(), 0));
    wire.connection.goaway(0);
    wire.connection.goaway(0, 99, 'why');
    wire.say(
      wire.headers(5, postFields(['x', 'y']), 0),
      data(5, 'abc'),
      wire.headers(5, [['x', 'y']]),
      data(3, 'd', END_STREAM),
    );
    expect(wire.heard()).toEqual(['GOAWAY 2147483647 0', 'GOAWAY 3 0', 'GOAWAY 3 0 why']);
    expect(wire.told()).toEqual(['request 1 POST /', 'request 3 POST /', 'data 3 d', 'end 3']);
    expect(wire.error).toBeUndefined();
  });

  test('of the peer is reported', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields()), frame(7, 0, 0, Buffer.concat([uint32(0, 11), Buffer.from('calm')])));
    expect(wire.told()).toEqual(['request 1 GET / end', 'goaway 0 11 calm']);
    expect(wire.connection.goawayReceived).toBe(true);
  });
});

describe('updateSettings', () => {
  test('changes windows when the peer acknowledges, frame sizes at once', () => {
    const wire = Wire.server({ settings: { initialWindowSize: 10 } });
    wire.say(wire.headers(1, postFields(), 0));
    wire.connection.updateSettings({ initialWindowSize: 20, maxFrameSize: 20_000 });
    wire.connection.flush();
    expect(wire.heard()).toEqual(['SETTINGS 4=20 5=20000']);
    expect(wire.connection.localSettingsAcked).toBe(false);
    wire.stream(1).pause();
    wire.say(frame(99, 0, 0, Buffer.alloc(20_000)), SETTINGS_ACK, data(1, 'x'.repeat(20)));
    expect(wire.error).toBeUndefined();
    wire.say(data(1, 'x'));
    expect(wire.heard()).toEqual(['RST 1 3']);
    wire.connection.updateSettings({ maxFrameSize: 16_384 });
    wire.say(frame(99, 0, 0, Buffer.alloc(20_000)), SETTINGS_ACK, frame(99, 0, 0, Buffer.alloc(16_385)));
    expect(wire.error?.context).toMatch(/FRAME_SIZE_ERROR/);
  });

  test('shrinks the HPACK table: the peer must follow', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields(['x', 'indexed'])));
    wire.connection.updateSettings({ headerTableSize: 0 });
    wire.say(SETTINGS_ACK, wire.headers(3, getFields(['x', 'indexed'])));
    expect(wire.error?.context).toMatch(/COMPRESSION_ERROR/);
  });
});

test('remote settings shrink our HPACK table', () => {
  const wire = Wire.server();
  const answer = (id: number): number => {
    wire.say(wire.headers(id, getFields()));
    const header = new ResponseHeader(200);
    header.insertHeader('x-long', 'v'.repeat(60));
    wire.stream(id).writeHead(header, true);
    const before = wire.writes;
    wire.connection.flush();
    expect(wire.writes).toBe(before + 1);
    const [text = ''] = wire.heard();
    return text.length;
  };
  const size = answer(1);
  wire.say(settings([1, 0]));
  wire.heard();
  expect(answer(3)).toBe(size);
});

describe('options', () => {
  const cases: [Partial<Http2Options>, RegExp][] = [
    [{ role: 'proxy' as 'server' }, /option role is proxy: expected 'server' or 'client'/],
    [
      { connectionWindowSize: 65_534 },
      /option connectionWindowSize is 65534: expected an integer from 65535 to 2147483647/,
    ],
    [{ settings: { maxFrameSize: 1 } }, /setting maxFrameSize is 1: expected an integer from 16384 to 16777215/],
    [{ settings: { initialWindowSize: 2 ** 31 } }, /setting initialWindowSize is 2147483648/],
    [{ settings: { maxConcurrentStreams: -1 } }, /setting maxConcurrentStreams is -1/],
    [
      { settings: { headerTableSize: 70_000 } },
      /setting headerTableSize is 70000: expected an integer from 0 to 65536/,
    ],
    [{ settings: { enablePush: true } }, /setting enablePush is true: push is not supported/],
    [
      { settings: { enableConnectProtocol: 1 as unknown as boolean } },
      /setting enableConnectProtocol is 1: expected true or false/,
    ],
    [{ settings: { x: 1 } as object }, /setting x is unknown: expected one of headerTableSize, /],
    [{ limits: { maxHeaderFields: 0 } }, /limit maxHeaderFields is 0: expected an integer of at least 1/],
    [{ limits: { x: 1 } as object }, /limit x is unknown: expected one of maxHeaderListBytes, /],
  ];
  test.each(cases)('%o is refused', (options, message) => {
    expect(() => new Wire({ role: 'server', ...options })).toThrow(message);
  });
});

test('errorCodeName names known codes', () => {
  expect(errorCodeName(ErrorCode.ENHANCE_YOUR_CALM)).toBe('ENHANCE_YOUR_CALM');
  expect(errorCodeName(99)).toBe('code 99');
});
