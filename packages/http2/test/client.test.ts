/** The client's side: requests that go out, responses that come back, right and wrong. */
import { HeaderMap, RequestHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import {
  ACK,
  data,
  END_STREAM,
  type Fields,
  frame,
  goaway,
  reset,
  settings,
  uint32,
  Wire,
  windowUpdate,
} from './wire.ts';

const TARGET = { scheme: 'https', authority: 'a:8443' } as const;

describe('openStream', () => {
  test('sends the head with its pseudo fields, without those of HTTP/1', () => {
    const wire = Wire.client();
    const headers = HeaderMap.from({
      Host: 'other',
      Connection: 'te',
      TE: 'gzip, Trailers',
      Accept: '*/*',
      'Keep-Alive': '1',
    });
    const stream = wire.connection.openStream(new RequestHeader('GET', '/a?b', headers), TARGET, true);
    expect(stream).toMatchObject({
      id: 1,
      scheme: 'https',
      protocol: undefined,
      localClosed: true,
      remoteClosed: false,
    });
    wire.connection.flush();
    expect(wire.heard()).toEqual([
      'HEADERS 1 end :method=GET :scheme=https :path=/a?b :authority=a:8443 te=trailers accept=*/*',
    ]);
  });

  test('leaves te out when it does not ask for trailers', () => {
    const wire = Wire.client();
    wire.connection.openStream(new RequestHeader('GET', '/', HeaderMap.from({ TE: 'gzip' })), TARGET, true);
    wire.connection.flush();
    expect(wire.heard()).toEqual(['HEADERS 1 end :method=GET :scheme=https :path=/ :authority=a:8443']);
  });

  test('sends CONNECT, and extended CONNECT where the server accepts it', () => {
    const wire = Wire.client();
    wire.connection.openStream(new RequestHeader('CONNECT', 'b:1'), { scheme: 'http', authority: 'b:1' }, false);
    const request = new RequestHeader('CONNECT', '/chat');
    const target = { ...TARGET, protocol: 'websocket' };
    expect(() => wire.connection.openStream(request, target, false)).toThrow(/does not accept extended CONNECT/);
    wire.say(settings([8, 1]));
    expect(() => wire.connection.openStream(new RequestHeader('GET', '/'), target, false)).toThrow(/method GET/);
    expect(() => wire.connection.openStream(request, { ...TARGET, protocol: 'a b' }, false)).toThrow(
      /expected a token/,
    );
    const stream = wire.connection.openStream(request, target, false);
    expect(stream).toMatchObject({ id: 3, protocol: 'websocket' });
    wire.connection.flush();
    expect(wire.heard()).toEqual([
      'HEADERS 1 :method=CONNECT :authority=b:1',
      'SETTINGS ack',
      'HEADERS 3 :method=CONNECT :scheme=https :path=/chat :protocol=websocket :authority=a:8443',
    ]);
  });

  test('refuses an authority that cannot be sent', () => {
    const wire = Wire.client();
    for (const authority of ['', 'a b', 'u@a', 'a\r\n', '\u20ac']) {
      expect(() =>
        wire.connection.openStream(new RequestHeader('GET', '/'), { scheme: 'http', authority }, true),
      ).toThrow(/is not host\[:port\]/);
    }
    wire.open();
    expect(wire.stream(1).id).toBe(1);
  });

  test('keeps to what the server allows at once, and says that another connection may do', () => {
    const wire = Wire.client();
    wire.say(settings([3, 2]));
    wire.open();
    wire.open();
    expect(wire.connection.canOpenStream).toBe(false);
    expect(() => wire.open()).toThrow(expect.objectContaining({ type: 'H2Error', retry: true, source: 'Upstream' }));
    wire.say(wire.headers(1, [[':status', '204']]));
    expect(wire.connection.canOpenStream).toBe(true);
    wire.say(settings([3, 0]));
    expect(wire.connection.canOpenStream).toBe(false);
  });

  test('is not for servers', () => {
    const wire = Wire.server();
    expect(wire.connection.canOpenStream).toBe(false);
    expect(() => wire.open()).toThrow(/no further stream/);
  });

  test('goes out in order although the sink is full', () => {
    const wire = Wire.client();
    wire.full = true;
    wire.open();
    wire.connection.flush();
    wire.heard();
    wire.open();
    wire.open().reset(8);
    wire.full = false;
    wire.connection.sinkDrained();
    expect(wire.heard().map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      'HEADERS 3',
      'HEADERS 5',
      'RST 5',
    ]);
  });
});

describe('a response', () => {
  test('comes with informational heads, a body and trailers', () => {
    const wire = Wire.client();
    wire.open();
    wire.say(
      wire.headers(
        1,
        [
          [':status', '103'],
          ['link', '<a>'],
        ],
        0,
      ),
      wire.headers(
        1,
        [
          [':status', '200'],
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
        ],
        0,
      ),
      data(1, 'abc'),
      wire.headers(1, [['grpc-status', '0']]),
    );
    expect(wire.told()).toEqual(['response 1 103', 'response 1 200', 'data 1 abc', 'end 1 grpc-status=0', 'closed 1']);
    expect(wire.responses[1]?.headers.getAll('Set-Cookie')).toEqual(['a', 'b']);
    expect(wire.responses[1]).toMatchObject({ version: '2', status: 200, reason: 'OK' });
  });

  test('closes the stream once the request is sent too', () => {
    const wire = Wire.client();
    const stream = wire.open(false, 'POST');
    wire.say(wire.headers(1, [[':status', '200']]));
    expect(wire.told()).toEqual(['response 1 200 end']);
    expect(stream.closed).toBe(false);
    stream.writeData(Buffer.from('x'), 0, 1);
    stream.end();
    expect(wire.told()).toEqual(['closed 1']);
    expect(wire.connection.openStreams).toBe(0);
  });

  const bodiless: [string, string, Fields][] = [
    ['HEAD', '200', [['content-length', '5']]],
    ['GET', '304', [['content-length', '5']]],
    ['GET', '204', []],
  ];
  test.each(bodiless)('to %s with status %s has no body', (method, status, more) => {
    const wire = Wire.client();
    wire.open(true, method);
    wire.open(true, method);
    wire.open(true, method);
    const fields: Fields = [[':status', status], ...more];
    wire.say(
      wire.headers(1, fields),
      wire.headers(3, fields, 0),
      data(3, '', END_STREAM),
      wire.headers(5, fields, 0),
      data(5, 'x'),
    );
    expect(wire.told()).toEqual([
      `response 1 ${status} end`,
      'closed 1',
      `response 3 ${status}`,
      'end 3',
      'closed 3',
      `response 5 ${status}`,
      'reset 5 1 by us',
      'closed 5',
    ]);
  });

  test('to CONNECT opens a tunnel, whatever its Content-Length says', () => {
    const wire = Wire.client();
    wire.connection.openStream(new RequestHeader('CONNECT', 'b:1'), { scheme: 'http', authority: 'b:1' }, false);
    wire.say(
      wire.headers(
        1,
        [
          [':status', '200'],
          ['content-length', '1'],
        ],
        0,
      ),
      data(1, 'abc'),
      data(1, '', END_STREAM),
    );
    expect(wire.told()).toEqual(['response 1 200', 'data 1 abc', 'end 1']);
  });

  const malformed: [string, Fields][] = [
    ['no status', [['x', 'y']]],
    ['a status of two digits', [[':status', '20']]],
    ['a status of four digits', [[':status', '0200']]],
    ['a status that is no number', [[':status', '2x0']]],
    ['a status above 599', [[':status', '600']]],
    ['a status below 100', [[':status', '099']]],
    ['status 101', [[':status', '101']]],
    [
      'a status twice',
      [
        [':status', '200'],
        [':status', '200'],
      ],
    ],
    [
      'a pseudo field of requests',
      [
        [':status', '200'],
        [':path', '/'],
      ],
    ],
    [
      'an upper-case name',
      [
        [':status', '200'],
        ['X', 'y'],
      ],
    ],
    [
      'a connection field',
      [
        [':status', '200'],
        ['transfer-encoding', 'chunked'],
      ],
    ],
    [
      'LF in a value',
      [
        [':status', '200'],
        ['x', 'a\nb'],
      ],
    ],
    [
      'two lengths',
      [
        [':status', '200'],
        ['content-length', '1'],
        ['content-length', '2'],
      ],
    ],
  ];
  test.each(malformed)('is malformed with %s', (_what, fields) => {
    const wire = Wire.client();
    wire.open();
    wire.heard();
    wire.say(wire.headers(1, fields, 0));
    expect(wire.heard()).toEqual(['RST 1 1']);
    expect(wire.told()).toEqual(['reset 1 1 by us', 'closed 1']);
    expect(wire.stream(1).resetReason).toMatch(/./);
  });

  const wrong: [string, string, (wire: Wire) => Buffer[]][] = [
    ['DATA before the head', 'RST 1 1', () => [data(1, 'x')]],
    [
      'DATA between informational and final head',
      'RST 1 1',
      (wire) => [wire.headers(1, [[':status', '100']], 0), data(1, 'x')],
    ],
    ['an informational head that ends the stream', 'RST 1 1', (wire) => [wire.headers(1, [[':status', '100']])]],
    [
      'no body, but a Content-Length',
      'RST 1 1',
      (wire) => [
        wire.headers(1, [
          [':status', '200'],
          ['content-length', '1'],
        ]),
      ],
    ],
    [
      'a body that is too long',
      'RST 1 1',
      (wire) => [
        wire.headers(
          1,
          [
            [':status', '200'],
            ['content-length', '1'],
          ],
          0,
        ),
        data(1, 'ab'),
      ],
    ],
    [
      'a second head',
      'RST 1 1',
      (wire) => [wire.headers(1, [[':status', '200']], 0), wire.headers(1, [[':status', '200']], 0)],
    ],
    [
      'too many fields',
      'RST 1 11',
      (wire) => [
        wire.headers(1, [[':status', '200'], ...Array.from({ length: 200 }, (): [string, string] => ['x', 'y'])]),
      ],
    ],
  ];
  test.each(wrong)('is wrong with %s', (_what, expected, frames) => {
    const wire = Wire.client();
    wire.open();
    wire.heard();
    wire.say(...frames(wire));
    expect(wire.heard()).toEqual([expected]);
    expect(wire.error).toBeUndefined();
  });

  const fatal: [string, number, (wire: Wire) => Buffer[]][] = [
    ['HEADERS on an idle stream', 1, (wire) => [wire.headers(3, [[':status', '200']])]],
    ['HEADERS on an even stream', 1, (wire) => [wire.headers(2, [[':status', '200']])]],
    ['DATA on an idle stream', 1, () => [data(3, 'x')]],
    [
      'HEADERS after the end of everything',
      5,
      (wire) => [wire.headers(1, [[':status', '204']]), wire.headers(1, [['x', 'y']])],
    ],
    ['PUSH_PROMISE', 1, () => [frame(5, 4, 1, uint32(2))]],
    ['enablePush', 1, () => [settings([2, 1])]],
  ];
  test.each(fatal)('ends the connection with %s', (_what, code, frames) => {
    const wire = Wire.client();
    wire.open();
    wire.heard();
    wire.say(...frames(wire));
    expect(wire.heard().at(-1)).toMatch(new RegExp(`^GOAWAY 0 ${code} `));
    expect(wire.error).toMatchObject({ type: 'H2Error', source: 'Upstream' });
    expect(wire.connection.canOpenStream).toBe(false);
  });

  test('is kept while its reader pauses, but for informational heads', () => {
    const wire = Wire.client();
    const stream = wire.open();
    stream.pause();
    wire.say(
      wire.headers(1, [[':status', '103']], 0),
      wire.headers(1, [[':status', '200']], 0),
      data(1, 'abc', END_STREAM),
    );
    expect(wire.told()).toEqual([]);
    stream.resume();
    expect(wire.told()).toEqual(['response 1 200', 'data 1 abc', 'end 1', 'closed 1']);
    const other = wire.open();
    other.pause();
    wire.say(wire.headers(3, [[':status', '204']]));
    wire.react = () => other.pause();
    other.resume();
    expect(wire.told()).toEqual(['response 3 204 end', 'closed 3']);
  });
});

describe('resets', () => {
  test('by the server are reported with their code', () => {
    const wire = Wire.client();
    wire.open(false);
    wire.say(reset(1, 7));
    expect(wire.told()).toEqual(['reset 1 7', 'closed 1']);
  });

  test('with NO_ERROR after a complete response do not cost the response', () => {
    const wire = Wire.client();
    const stream = wire.open(false, 'POST');
    stream.pause();
    wire.say(wire.headers(1, [[':status', '413']], 0), data(1, 'abc', END_STREAM), reset(1, 0));
    expect(wire.told()).toEqual([]);
    wire.heard();
    // nobody reads this any more
    expect(stream.writeData(Buffer.from('x'), 0, 1)).toBe(true);
    stream.end();
    wire.connection.flush();
    expect(wire.heard()).toEqual([]);
    stream.resume();
    expect(wire.told()).toEqual(['response 1 413', 'data 1 abc', 'end 1', 'reset 1 0', 'closed 1']);
  });

  test('of ours make what still comes of no account', () => {
    const wire = Wire.client();
    wire.open().reset(8);
    wire.open();
    wire.say(
      wire.headers(
        1,
        [
          [':status', '200'],
          ['x', 'y'],
        ],
        0,
      ),
      data(1, 'abc'),
      windowUpdate(1, 1),
      reset(1, 0),
    );
    wire.say(
      wire.headers(3, [
        [':status', '200'],
        ['x', 'y'],
      ]),
    );
    expect(wire.told()).toEqual(['closed 1', 'response 3 200 end', 'closed 3']);
  });
});

describe('GOAWAY', () => {
  test('gives back what the server did not take, and ends new requests', () => {
    const wire = Wire.client();
    wire.open();
    wire.open();
    wire.open();
    wire.react = (event) => {
      // the owner retries at once
      if (event.startsWith('reset')) expect(wire.connection.canOpenStream).toBe(false);
    };
    wire.say(goaway(3, 0));
    expect(wire.told()).toEqual(['goaway 3 0', 'reset 5 7', 'closed 5']);
    expect(() => wire.open()).toThrow(/no further stream/);
    wire.say(wire.headers(1, [[':status', '204']]), goaway(1, 0));
    expect(wire.told()).toEqual(['response 1 204 end', 'closed 1', 'goaway 1 0', 'reset 3 7', 'closed 3']);
    expect(wire.connection.openStreams).toBe(0);
  });

  test('in two steps takes nothing back at first', () => {
    const wire = Wire.client();
    wire.open();
    wire.say(goaway(2 ** 31 - 1, 0));
    expect(wire.told()).toEqual(['goaway 2147483647 0']);
    expect(wire.connection.goawayReceived).toBe(true);
  });
});

test('settings are awaited by the owner', () => {
  const wire = new Wire({ role: 'client' });
  expect(wire.connection.settingsReceived).toBe(false);
  expect(wire.connection.canOpenStream).toBe(true);
  wire.say(settings([3, 1]), frame(4, ACK, 0));
  expect(wire.told()).toEqual(['settings']);
  expect(wire.connection.remoteSettings.maxConcurrentStreams).toBe(1);
});
