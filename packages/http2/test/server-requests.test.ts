/** Requests as frames: which become requests, which are refused and how. */
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import {
  ACK,
  data,
  END_STREAM,
  type Fields,
  frame,
  getFields,
  PADDED,
  PRIORITY,
  postFields,
  uint32,
  Wire,
} from './wire.ts';

describe('a request head', () => {
  test('becomes a request with the authority as host line', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields(['x-y', 'z'], ['cookie', 'a=1'], ['accept', '*/*'], ['cookie', 'b=2'])));
    expect(wire.told()).toEqual(['request 1 GET / end']);
    expect(wire.requests[0]?.headers.serialize()).toBe('host: a\r\nx-y: z\r\naccept: */*\r\ncookie: a=1; b=2\r\n');
    expect(wire.requests[0]?.version).toBe('2');
    expect(wire.stream(1)).toMatchObject({ id: 1, scheme: 'http', protocol: undefined, remoteClosed: true });
  });

  test('marks hop-by-hop fields, so that a proxy can cut them', () => {
    const wire = Wire.server();
    wire.say(
      wire.headers(1, getFields(['te', 'Trailers'], ['x', '1'], ['trailer', 'x-sum'], ['proxy-authorization', 'p'])),
    );
    const headers = wire.requests[0]?.headers;
    expect(headers?.get('TE')).toBe('Trailers');
    headers?.stripHopByHop(undefined);
    expect(headers?.serialize()).toBe('host: a\r\nx: 1\r\n');
  });

  const good: [string, Fields][] = [
    [
      'host instead of authority',
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/'],
        ['host', 'b:1'],
      ],
    ],
    ['host that is the authority', getFields(['host', 'A'])],
    ['host with the default port', getFields(['host', 'a:80'])],
    [
      'no authority for another scheme',
      [
        [':method', 'GET'],
        [':scheme', 'urn'],
        [':path', '/'],
      ],
    ],
    [
      'OPTIONS *',
      [
        [':method', 'OPTIONS'],
        [':scheme', 'http'],
        [':path', '*'],
        [':authority', 'a'],
      ],
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:443'],
      ],
    ],
    ['an empty value', getFields(['x', ''])],
    ['obs-text', getFields(['x', '\u00e4'])],
    ['content-length 0 without body', getFields(['content-length', '0'])],
  ];
  test.each(good)('may have: %s', (_what, fields) => {
    const wire = Wire.server();
    wire.say(wire.headers(1, fields));
    expect(wire.heard()).toEqual([]);
    expect(wire.requests).toHaveLength(1);
  });

  test('of CONNECT has the authority as target', () => {
    const wire = Wire.server();
    wire.say(
      wire.headers(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:443'],
          ['content-length', '0'],
        ],
        0,
      ),
      data(1, 'raw'),
    );
    expect(wire.told()).toEqual(['request 1 CONNECT a:443', 'data 1 raw']);
    expect(wire.stream(1).scheme).toBeUndefined();
  });

  const malformed: [string, Fields][] = [
    [
      'no :method',
      [
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
      ],
    ],
    [
      'no :scheme',
      [
        [':method', 'GET'],
        [':path', '/'],
        [':authority', 'a'],
      ],
    ],
    [
      'no :path',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':authority', 'a'],
      ],
    ],
    [
      'neither authority nor host',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
      ],
    ],
    [
      'an empty authority',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', ''],
      ],
    ],
    [
      'userinfo',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'u:p@a'],
      ],
    ],
    ['a host that is another', getFields(['host', 'b'])],
    ['a host of another port', getFields(['host', 'a:81'])],
    ['two host fields', getFields(['host', 'a'], ['host', 'a'])],
    [
      'an empty path',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', ''],
        [':authority', 'a'],
      ],
    ],
    [
      'a path without slash',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', 'a'],
        [':authority', 'a'],
      ],
    ],
    [
      '* for GET',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '*'],
        [':authority', 'a'],
      ],
    ],
    [
      'a blank in the path',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/a b'],
        [':authority', 'a'],
      ],
    ],
    [
      'a fragment',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/#a'],
        [':authority', 'a'],
      ],
    ],
    [
      'a method that is no token',
      [
        [':method', 'G T'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
      ],
    ],
    [
      'an empty method',
      [
        [':method', ''],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
      ],
    ],
    [
      'a scheme that is none',
      [
        [':method', 'GET'],
        [':scheme', 'ht tp'],
        [':path', '/'],
        [':authority', 'a'],
      ],
    ],
    ['an unknown pseudo field', [...getFields(), [':x', 'y']]],
    ['a pseudo field of responses', [...getFields(), [':status', '200']]],
    ['a pseudo field twice', [...getFields(), [':method', 'GET']]],
    [
      'a pseudo field at the end',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        ['x', 'y'],
        [':authority', 'a'],
      ],
    ],
    ['an upper-case name', getFields(['X-Y', 'z'])],
    ['an empty name', getFields(['', 'z'])],
    ['a blank in a name', getFields(['x y', 'z'])],
    ['a colon in a name', getFields(['x:y', 'z'])],
    ['obs-text in a name', getFields(['\u00e4', 'z'])],
    ['CR in a value', getFields(['x', 'a\rb'])],
    ['LF in a value', getFields(['x', 'a\nb'])],
    ['NUL in a value', getFields(['x', 'a\0b'])],
    ['a leading blank', getFields(['x', ' a'])],
    ['a trailing blank', getFields(['x', 'a '])],
    ['a leading tab', getFields(['x', '\ta'])],
    ['a trailing tab', getFields(['x', 'a\t'])],
    [
      'LF in the path',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/\nx'],
        [':authority', 'a'],
      ],
    ],
    ['connection', getFields(['connection', 'x'])],
    ['keep-alive', getFields(['keep-alive', '1'])],
    ['proxy-connection', getFields(['proxy-connection', 'keep-alive'])],
    ['transfer-encoding', getFields(['transfer-encoding', 'chunked'])],
    ['upgrade', getFields(['upgrade', 'x'])],
    ['te other than trailers', getFields(['te', 'gzip'])],
    ['te with more than trailers', getFields(['te', 'trailers, gzip'])],
    ['a content-length that is no number', getFields(['content-length', '1a'])],
    ['a negative content-length', getFields(['content-length', '-1'])],
    ['a list of content-lengths', getFields(['content-length', '0, 0'])],
    ['two content-lengths', getFields(['content-length', '0'], ['content-length', '0'])],
    ['a content-length and no body', getFields(['content-length', '1'])],
    [
      'CONNECT with :path',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
        [':path', '/'],
      ],
    ],
    [
      'CONNECT with :scheme',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
        [':scheme', 'http'],
      ],
    ],
    [
      'CONNECT without authority',
      [
        [':method', 'CONNECT'],
        ['host', 'a:1'],
      ],
    ],
    [
      'CONNECT without port',
      [
        [':method', 'CONNECT'],
        [':authority', 'a'],
      ],
    ],
    [
      'CONNECT with content-length',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
        ['content-length', '3'],
      ],
    ],
    [
      ':protocol although it was not offered',
      [
        [':method', 'CONNECT'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
        [':protocol', 'websocket'],
      ],
    ],
    ['no fields', []],
  ];
  test.each(malformed)('is malformed with: %s', (_what, fields) => {
    const wire = Wire.server();
    wire.say(wire.headers(1, fields));
    expect(wire.heard()).toEqual(['RST 1 1']);
    expect(wire.told()).toEqual(['refused 400']);
    expect(wire.refused[0]).toMatchObject({ type: 'InvalidHTTPHeader', source: 'Downstream', status: 400 });
    // The connection goes on.
    wire.say(wire.headers(3, getFields()));
    expect(wire.told()).toEqual(['request 3 GET / end']);
  });

  test('cannot depend on itself', () => {
    const wire = Wire.server();
    const block = wire.block(getFields());
    wire.say(frame(1, 0x4 | END_STREAM | PRIORITY, 1, Buffer.concat([uint32(1), Buffer.of(0), block])));
    expect(wire.heard()).toEqual(['RST 1 1']);
    wire.say(
      frame(1, 0x4 | END_STREAM | PRIORITY, 3, Buffer.concat([uint32(1), Buffer.of(0), wire.block(getFields())])),
    );
    expect(wire.told()).toEqual(['refused 400', 'request 3 GET / end']);
  });

  test('may be padded and come in CONTINUATION frames', () => {
    const wire = Wire.server();
    const block = wire.block(getFields(['x', 'y']));
    const first = Buffer.concat([Buffer.of(3), block.subarray(0, 4), Buffer.alloc(3)]);
    wire.say(
      frame(1, PADDED | END_STREAM, 1, first),
      frame(9, 0, 1, block.subarray(4, 5)),
      frame(9, 0x4, 1, block.subarray(5)),
    );
    expect(wire.told()).toEqual(['request 1 GET / end']);
    expect(wire.requests[0]?.getHeader('x')).toBe('y');
  });

  test('keeps a Content-Length in one spelling', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(['content-length', '003']), 0));
    expect(wire.requests[0]?.getHeader('content-length')).toBe('3');
    expect(wire.requests[0]?.headers.contentLength).toBe(3);
  });
});

describe('an extended CONNECT', () => {
  const fields: Fields = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', 'https'],
    [':path', '/chat'],
    [':authority', 'a'],
  ];
  const options = { settings: { enableConnectProtocol: true } };

  test('is a request once it was offered', () => {
    const wire = Wire.server(options);
    wire.say(wire.headers(1, fields, 0), data(1, 'raw'));
    expect(wire.told()).toEqual(['request 1 CONNECT /chat', 'data 1 raw']);
    expect(wire.stream(1)).toMatchObject({ scheme: 'https', protocol: 'websocket' });
  });

  const bad: [string, Fields][] = [
    ['no :path', fields.filter(([name]) => name !== ':path')],
    ['no :scheme', fields.filter(([name]) => name !== ':scheme')],
    ['another method', [[':method', 'GET'], ...fields.slice(1)]],
    ['a protocol that is no token', fields.map(([name, value]) => [name, name === ':protocol' ? 'a b' : value])],
  ];
  test.each(bad)('is malformed with %s', (_what, found) => {
    const wire = Wire.server(options);
    wire.say(wire.headers(1, found, 0));
    expect(wire.heard()).toEqual(['RST 1 1']);
  });
});

describe('a request body', () => {
  test('is reported as it comes, and ended with trailers', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(), 0), data(1, 'ab'), data(1, ''), data(1, 'c'), wire.headers(1, [['x', 'y']]));
    expect(wire.told()).toEqual(['request 1 POST /', 'data 1 ab', 'data 1 c', 'end 1 x=y']);
  });

  test('may be padded', () => {
    const wire = Wire.server();
    wire.say(
      wire.headers(1, postFields(), 0),
      frame(0, PADDED, 1, '\x02ab\0\0'),
      frame(0, PADDED | END_STREAM, 1, '\x01\0'),
    );
    expect(wire.told()).toEqual(['request 1 POST /', 'data 1 ab', 'end 1']);
  });

  const cases: [string, string, (wire: Wire) => Buffer[]][] = [
    ['more than its Content-Length', '2', () => [data(1, 'abc', END_STREAM)]],
    ['less than its Content-Length', '2', () => [data(1, 'a', END_STREAM)]],
    ['nothing of its Content-Length', '2', () => [data(1, '', END_STREAM)]],
    ['less before trailers', '2', (wire) => [data(1, 'a'), wire.headers(1, [['x', 'y']])]],
    ['a pseudo field in trailers', '0', (wire) => [wire.headers(1, [[':path', '/']])]],
    ['a connection field in trailers', '0', (wire) => [wire.headers(1, [['connection', 'x']])]],
    ['trailers without the end', '0', (wire) => [wire.headers(1, [['x', 'y']], 0)]],
  ];
  test.each(cases)('is malformed with %s', (_what, length, frames) => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(['content-length', length]), 0));
    wire.told();
    wire.say(...frames(wire));
    expect(wire.heard()).toEqual(['RST 1 1']);
    expect(wire.told().filter((event) => !event.startsWith('data'))).toEqual(['reset 1 1 by us', 'closed 1']);
    expect(wire.stream(1).resetReason).toBeDefined();
  });

  test('of the announced length is right', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(['content-length', '3']), 0), data(1, 'ab'), data(1, 'c', END_STREAM));
    expect(wire.told()).toEqual(['request 1 POST /', 'data 1 ab', 'data 1 c', 'end 1']);
  });
});

describe('too large a head', () => {
  const answer = 'HEADERS 1 end :status=431 content-length=0';

  test('is answered with 431, to the field and to the byte', () => {
    const options = { limits: { maxHeaderFields: 6 } };
    const fits = Wire.server(options);
    fits.say(fits.headers(1, getFields(['cookie', 'a'], ['cookie', 'b'])));
    expect(fits.told()).toEqual(['request 1 GET / end']);
    const over = Wire.server(options);
    over.say(over.headers(1, getFields(['cookie', 'a'], ['cookie', 'b'], ['cookie', 'c'])));
    expect(over.heard()).toEqual([answer]);
    expect(over.told()).toEqual(['refused 431']);
    // 4 pseudo fields of GET / http a: 4 * 32 + 10 + 11 + 6 + 11 = 166
    for (const [value, expected] of [
      ['x'.repeat(67), []],
      ['x'.repeat(68), [answer]],
    ] as const) {
      const wire = Wire.server({ limits: { maxHeaderListBytes: 166 + 32 + 1 + 67 } });
      wire.say(wire.headers(1, getFields(['y', value])));
      expect(wire.heard()).toEqual(expected);
    }
  });

  test('asks to stop the body, which is ignored then; HPACK stays in step', () => {
    const wire = Wire.server({ limits: { maxHeaderFields: 5 } });
    wire.say(
      wire.headers(1, postFields(['a', '1'], ['b', '2']), 0),
      data(1, 'abc'),
      wire.headers(1, [['trailer-x', 'y']]),
    );
    expect(wire.heard()).toEqual([answer, 'RST 1 0']);
    wire.say(wire.headers(3, getFields(['trailer-x', 'y'])));
    expect(wire.told()).toEqual(['refused 431', 'request 3 GET / end']);
    expect(wire.requests[0]?.getHeader('trailer-x')).toBe('y');
  });

  test('is reset when the client does not read', () => {
    const wire = Wire.server({ limits: { maxHeaderFields: 5 } });
    wire.full = true;
    wire.connection.ping(1n);
    wire.connection.flush();
    wire.say(wire.headers(1, getFields(['a', '1'], ['b', '2'])));
    wire.full = false;
    wire.connection.sinkDrained();
    expect(wire.heard().slice(1)).toEqual(['RST 1 1']);
  });

  test('of trailers resets the stream', () => {
    const wire = Wire.server({ limits: { maxHeaderFields: 4 } });
    wire.say(
      wire.headers(1, postFields(), 0),
      wire.headers(1, [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
        ['d', '4'],
        ['e', '5'],
      ]),
    );
    expect(wire.heard()).toEqual(['RST 1 11']);
  });
});

describe('concurrent streams', () => {
  test('beyond the limit are refused, and counted by the streams that are retained', () => {
    const wire = Wire.server({ settings: { maxConcurrentStreams: 2 } });
    wire.react = (event, stream) => {
      if (event.startsWith('request')) stream?.retain();
    };
    wire.say(wire.headers(1, getFields()), wire.headers(3, getFields()), wire.headers(5, getFields()));
    expect(wire.heard()).toEqual(['RST 5 7']);
    wire.say(frame(3, 0, 1, uint32(8)), wire.headers(7, getFields()));
    expect(wire.heard()).toEqual(['RST 7 7']);
    wire.stream(1).release();
    wire.stream(1).release();
    wire.say(wire.headers(9, getFields()));
    expect(wire.heard()).toEqual([]);
    expect(wire.connection.openStreams).toBe(2);
    expect(wire.connection.lastProcessedStreamId).toBe(9);
    // released before the end: counts as long as it is open
    wire.stream(3).release();
    wire.say(wire.headers(11, getFields()));
    expect(wire.heard()).toEqual(['RST 11 7']);
    wire.stream(3).writeHead(new ResponseHeader(204), true);
    wire.say(wire.headers(13, getFields()));
    expect(wire.heard()).toEqual(['HEADERS 3 end :status=204']);
  });
});

describe('a response', () => {
  test('goes out in one write, without fields of HTTP/1 connections, its end on the last frame', () => {
    const wire = Wire.server();
    const { writes } = wire;
    wire.react = (_event, stream) => {
      stream?.writeHead(new ResponseHeader(100), false);
      const fields = {
        'Content-Type': 'text/plain',
        Connection: 'x',
        'Transfer-Encoding': 'chunked',
        'Keep-Alive': '1',
        Upgrade: 'h2c',
        X: ' y ',
      };
      stream?.writeHead(new ResponseHeader(200, HeaderMap.from(fields)), false);
      stream?.writeData(Buffer.from('ab'), 0, 2);
      stream?.writeData(Buffer.from('xcx'), 1, 2);
      wire.react = () => {};
      stream?.end();
    };
    wire.say(wire.headers(1, getFields()));
    expect(wire.heard()).toEqual([
      'HEADERS 1 :status=100',
      'HEADERS 1 :status=200 content-type=text/plain x=y',
      'DATA 1 end abc',
    ]);
    expect(wire.writes).toBe(writes + 1);
    expect(wire.told()).toEqual(['request 1 GET / end', 'closed 1']);
  });

  test('ends with trailers, on its head, or with an empty frame', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields()), wire.headers(3, getFields()), wire.headers(5, getFields()));
    const [a, b, c] = [wire.stream(1), wire.stream(3), wire.stream(5)];
    for (const stream of [a, b, c]) stream.writeHead(new ResponseHeader(200), false);
    c.end();
    a.writeData(Buffer.from('x'), 0, 1);
    a.end(HeaderMap.from({ 'Grpc-Status': '0' }));
    wire.connection.flush();
    b.end(HeaderMap.empty());
    wire.connection.flush();
    expect(wire.heard()).toEqual([
      'HEADERS 1 :status=200',
      'HEADERS 3 :status=200',
      'HEADERS 5 end :status=200',
      'DATA 1 x',
      'HEADERS 1 end grpc-status=0',
      'DATA 3 end',
    ]);
  });

  test('with a long head goes on in CONTINUATION frames', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields()));
    const value = '~'.repeat(40_000);
    wire.stream(1).writeHead(new ResponseHeader(200, HeaderMap.from({ x: value })), true);
    wire.connection.flush();
    const frames = wire.heard();
    expect(frames.slice(0, 2)).toEqual(['HEADERS 1 end 16384 bytes', 'CONTINUATION 1 16384 bytes']);
    expect(frames[2]).toBe(`CONTINUATION 1 :status=200 x=${value}`);
  });

  test('cannot be written in a wrong order', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, getFields()), wire.headers(3, getFields()));
    const stream = wire.stream(1);
    expect(() => stream.writeData(Buffer.from('x'), 0, 1)).toThrow(/before the head/);
    expect(() => stream.end()).toThrow(/before the head/);
    expect(() => stream.writeHead(new ResponseHeader(101), false)).toThrow(/101/);
    expect(() => stream.writeHead(new ResponseHeader(103), true)).toThrow(/103/);
    stream.writeHead(new ResponseHeader(200), false);
    expect(() => stream.writeHead(new ResponseHeader(200), false)).toThrow(/before/);
    const other = wire.stream(3);
    other.writeHead(new ResponseHeader(200), false);
    other.end();
    // closed: nothing is said any more
    other.end();
    expect(other.writeData(Buffer.from('x'), 0, 1)).toBe(true);
    other.reset(8);
    wire.connection.flush();
    expect(wire.heard()).toEqual(['HEADERS 1 :status=200', 'HEADERS 3 end :status=200']);
  });

  test('before the end of the request can be followed by a reset that asks to stop', () => {
    const wire = Wire.server();
    wire.say(wire.headers(1, postFields(), 0), frame(4, 0, 0, Buffer.of(0, 4, 0, 0, 0, 2)));
    wire.heard();
    const stream = wire.stream(1);
    stream.writeHead(new ResponseHeader(413), false);
    stream.writeData(Buffer.from('abcd'), 0, 4);
    stream.end();
    stream.reset(0);
    expect(stream.closed).toBe(false);
    wire.say(data(1, 'ignored'));
    expect(wire.heard()).toEqual(['HEADERS 1 :status=413', 'DATA 1 ab']);
    wire.say(frame(8, 0, 1, uint32(10)));
    expect(wire.heard()).toEqual(['DATA 1 end cd', 'RST 1 0']);
    expect(wire.told()).toEqual(['request 1 POST /', 'settings', 'closed 1']);
    wire.say(data(1, 'still ignored'), frame(4, ACK, 0));
    expect(wire.error).toBeUndefined();
  });
});
