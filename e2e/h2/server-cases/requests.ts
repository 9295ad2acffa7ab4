/**
 * Requests as messages: RFC 9113 section 8, and what becomes of them towards an HTTP/1.1 origin.
 */
import { answer, connectionError, type H2Case, ignored, malformed, streamError } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { Code, data, Flag, headers } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { fieldOf } from '../../src/h2-stream-record.ts';
import { plainAnswer } from '../../src/recording-origin.ts';
import { valuesOf } from '../../src/wire-head.ts';
import { answerWith } from './scripts.ts';

const [METHOD, SCHEME, PATH, HOST] = request() as [H2Field, H2Field, H2Field, H2Field];

/** A malformed request: nothing of it reaches the origin whole. */
function bad(name: string, source: string, fields: readonly H2Field[]): H2Case {
  return { name, source, play: (client) => void client.ask(fields), expect: malformed(), forwarded: 0 };
}

/** A request that is well-formed: the origin gets these field lines, and none of the names in `lacks`. */
function good(
  name: string,
  source: string,
  fields: readonly H2Field[],
  lines: readonly string[],
  lacks: readonly string[] = [],
): H2Case {
  return {
    name,
    source,
    play: (client) => void client.ask(fields),
    expect: [answer()],
    check: ([arrived]) => {
      const got = arrived?.fields.map((field) => `${field.name.toLowerCase()}: ${field.value}`) ?? [];
      const missing = lines.filter((line) => !got.includes(line));
      const extra = got.filter((line) => lacks.some((name) => line.startsWith(`${name}:`)));
      if (missing.length + extra.length > 0)
        throw new Error(`missing ${missing}, not wanted ${extra}: ${got.join(' | ')}`);
    },
  };
}

export const fieldRules: readonly H2Case[] = [
  ...(
    [
      ['a name with an upper-case letter', 'X-Test', 'a'],
      ['a name that is empty', '', 'a'],
      ['a name with a space', 'x test', 'a'],
      ['a name with a trailing space', 'x-test ', 'a'],
      ['a name with a colon', 'x:test', 'a'],
      ['a name with a line feed', 'x\ntest', 'a'],
      ['a name with CR LF and a field', 'x: y\r\ninjected', 'a'],
      ['a name with NUL', 'x\x00test', 'a'],
      ['a name with DEL', 'x\x7ftest', 'a'],
      ['a name with an octet above 0x7f', 'x\xe9', 'a'],
      ['a name with a separator', 'x(test)', 'a'],
      ['a value with NUL', 'x', 'a\x00b'],
      ['a value with CR', 'x', 'a\rb'],
      ['a value with LF', 'x', 'a\nb'],
      ['a value with CR LF and a field', 'x', 'a\r\ninjected: b'],
      ['a value with CR LF CR LF and a request', 'x', 'a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n'],
      ['a value with a leading space', 'x', ' a'],
      ['a value with a trailing space', 'x', 'a '],
      ['a value with a leading tab', 'x', '\ta'],
      ['a value with a trailing tab', 'x', 'a\t'],
      ['a value with a control character', 'x', 'a\x01b'],
    ] as const
  ).map(([name, field, value]) => bad(name, 'RFC 9113 8.2.1', request('/', 'GET', [field, value]))),
  ...(
    [
      ['connection', 'close'],
      ['connection', 'x-test'],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'keep-alive'],
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'identity'],
      ['upgrade', 'websocket'],
      ['te', 'gzip'],
      ['te', 'trailers, deflate'],
      ['te', ''],
    ] as const
  ).map(([field, value]) => bad(`${field}: ${value}`, 'RFC 9113 8.2.2', request('/', 'GET', [field, value]))),
  good('te: trailers', 'RFC 9113 8.2.2', request('/', 'GET', ['te', 'trailers']), []),
  good(
    'values with inner blanks, with octets above 0x7f, and empty ones',
    'RFC 9113 8.2.1',
    request('/', 'GET', ['x-a', 'a \t b'], ['x-b', '\xe9\xff'], ['x-c', '']),
    ['x-a: a \t b', 'x-b: \xe9\xff', 'x-c: '],
  ),
  good(
    'fields of one name, in their order',
    'RFC 9110 5.3',
    request('/', 'GET', ['x-a', '1'], ['x-b', '2'], ['x-a', '3']),
    ['x-a: 1', 'x-b: 2', 'x-a: 3'],
  ),
  {
    ...good(
      'crumbs of cookies are joined',
      'RFC 9113 8.2.3',
      request('/', 'GET', ['cookie', 'a=b'], ['x-a', '1'], ['cookie', 'c=d'], ['cookie', 'e=f']),
      ['cookie: a=b; c=d; e=f'],
    ),
  },
];

export const pseudoHeaders: readonly H2Case[] = [
  bad('an unknown pseudo-header field', 'RFC 9113 8.3', request('/', 'GET').concat([[':test', 'a']])),
  bad('a pseudo-header field of responses', 'RFC 9113 8.3', [...request(), [':status', '200']]),
  ...[METHOD, SCHEME, PATH, HOST].flatMap((field) => [
    bad(`${field[0]} after a regular field`, 'RFC 9113 8.3', [
      ...request().filter((other) => other[0] !== field[0]),
      ['x-a', '1'],
      field,
    ]),
    bad(`${field[0]} twice`, 'RFC 9113 8.3', [field, ...request()]),
    ...(field === HOST
      ? []
      : [
          bad(
            `no ${field[0]}`,
            'RFC 9113 8.3.1',
            request().filter((other) => other[0] !== field[0]),
          ),
        ]),
    bad(
      `${field[0]} empty`,
      'RFC 9113 8.3.1',
      request().map((other) => (other[0] === field[0] ? [field[0], ''] : other)),
    ),
  ]),
  bad('no :authority and no host', 'RFC 9113 8.3.1', [METHOD, SCHEME, PATH]),
  good(
    'host in the place of :authority',
    'RFC 9113 8.3.1',
    [METHOD, SCHEME, PATH, ['host', 'a.example']],
    ['host: a.example'],
  ),
  good('host as well as :authority', 'RFC 9113 8.3.1', request('/', 'GET', ['host', HOST[1]]), [`host: ${HOST[1]}`]),
  bad('host other than :authority', 'RFC 9113 8.3.1', request('/', 'GET', ['host', 'evil.example'])),
  bad('two hosts', 'RFC 9112 3.2', [METHOD, SCHEME, PATH, ['host', 'a.example'], ['host', 'b.example']]),
  ...[
    ...[
      'user@a.example',
      'user:secret@a.example',
      'a b',
      'a.example/path',
      'a.example:port',
      'a\r\nx: y',
      'a?b',
      'a#b',
      'a\\b',
    ],
  ].map((authority) =>
    bad(`:authority ${JSON.stringify(authority)}`, 'RFC 9113 8.3.1', [METHOD, SCHEME, PATH, [':authority', authority]]),
  ),
  ...[
    'no-slash',
    '*',
    'http://a.example/',
    '/a b',
    '/a\tb',
    '/a\r\nx: y',
    '/a HTTP/1.1\r\nHost: evil\r\n\r\n',
    '/\x00',
    '/#f',
    '?a',
    '\\',
  ].map((path) => bad(`:path ${JSON.stringify(path)}`, 'RFC 9113 8.3.1', request(path))),
  ...['G T', 'GET /x', 'GET\r\n', 'G\x00T', '(GET)', 'G\xe9T'].map((method) =>
    bad(`:method ${JSON.stringify(method)}`, 'RFC 9110 9.1', request('/', method)),
  ),
  {
    name: 'OPTIONS *',
    source: 'RFC 9113 8.3.1',
    play: (client) => void client.ask(request('*', 'OPTIONS')),
    expect: [answer()],
    check: ([arrived]) => startLineIs(arrived?.startLine, 'OPTIONS * HTTP/1.1'),
  },
  {
    name: 'a path with everything that a path may have',
    source: 'RFC 9110 7.7',
    play: (client) => void client.ask(request('//a/../b;c=d/%2e%2E/~e?f=g&h=%00|{}"')),
    expect: [answer(), answer(1, 400), streamError(1, Code.PROTOCOL_ERROR)],
  },
  {
    name: 'a method that nobody knows',
    source: 'RFC 9110 9.1',
    play: (client) => void client.ask(request('/', 'BREW')),
    expect: [answer()],
    check: ([arrived]) => startLineIs(arrived?.startLine, 'BREW / HTTP/1.1'),
  },
];

export const connecting: readonly H2Case[] = [
  {
    name: 'CONNECT, which is not allowed here',
    source: 'RFC 9113 8.5',
    play: (client) =>
      void client.ask([
        [':method', 'CONNECT'],
        [':authority', 'a.example:443'],
      ]),
    expect: [answer(1, 400, 403, 405, 501), streamError(1, Code.REFUSED_STREAM, Code.CONNECT_ERROR, Code.CANCEL)],
    forwarded: 0,
  },
  bad('CONNECT without :authority', 'RFC 9113 8.5', [[':method', 'CONNECT']]),
  bad('CONNECT with :path', 'RFC 9113 8.5', [[':method', 'CONNECT'], PATH, [':authority', 'a.example:443']]),
  bad('CONNECT with :scheme', 'RFC 9113 8.5', [[':method', 'CONNECT'], SCHEME, [':authority', 'a.example:443']]),
  bad(':protocol on GET', 'RFC 8441 4', [...request(), [':protocol', 'websocket']]),
  bad('extended CONNECT without :path', 'RFC 8441 4', [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    SCHEME,
    HOST,
  ]),
  bad('extended CONNECT without :scheme', 'RFC 8441 4', [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    PATH,
    HOST,
  ]),
  bad('extended CONNECT without :authority', 'RFC 8441 4', [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    PATH,
    SCHEME,
  ]),
  bad(':protocol twice', 'RFC 8441 4', [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':protocol', 'websocket'],
    PATH,
    SCHEME,
    HOST,
  ]),
  {
    name: 'extended CONNECT that the origin declines',
    source: 'RFC 8441 5',
    play: (client, rig) => {
      answerWith(rig, ({ connection }) => connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'));
      const fields: H2Field[] = [[':method', 'CONNECT'], [':protocol', 'websocket'], PATH, SCHEME, HOST];
      client.send(headers(client.take(), block([...fields, ['sec-websocket-version', '13']])));
    },
    expect: [answer(1, 403), streamError(1, Code.NO_ERROR)],
    forwarded: 1,
    check: ([arrived], client) => {
      startLineIs(arrived?.startLine, 'GET / HTTP/1.1');
      const values = (name: string): string =>
        valuesOf(arrived?.fields ?? [], name)
          .join()
          .toLowerCase();
      const got = `${values('connection')} ${values('upgrade')} ${values('sec-websocket-key').length}`;
      if (got !== 'upgrade websocket 24') throw new Error(`upgrade at the origin: ${got}`);
      if (client.stream(1)?.status !== 403) throw new Error(`status ${client.stream(1)?.status}`);
    },
  },
];

export const bodies: readonly H2Case[] = [
  ...(
    [
      ['shorter than content-length', 10, ['abc'], 0],
      ['longer than content-length', 2, ['abc'], 0],
      ['longer than content-length, in two frames', 4, ['abc', 'def'], 0],
      ['of nothing, with a content-length', 1, [''], 0],
    ] as const
  ).map(
    ([name, length, pieces, forwarded]): H2Case => ({
      name: `a body ${name}`,
      source: 'RFC 9113 8.1.1',
      play: (client) => {
        const id = client.take();
        client.send(headers(id, block(request('/', 'POST', ['content-length', String(length)]))));
        for (const [at, piece] of pieces.entries())
          client.send(data(id, piece, at === pieces.length - 1 ? Flag.END_STREAM : 0));
      },
      expect: malformed(),
      forwarded,
    }),
  ),
  bad('content-length without a body', 'RFC 9113 8.1.1', request('/', 'POST', ['content-length', '5'])),
  ...['-1', '+1', '0x1', '1,1', '1 1', 'abc', '', '99999999999999999999', '1.0'].map(
    (length): H2Case => ({
      name: `content-length ${JSON.stringify(length)}`,
      source: 'RFC 9110 8.6',
      play: (client) => void client.ask(request('/', 'POST', ['content-length', length]), 'a'),
      // A list of equal values may be taken for one.
      expect: length === '1,1' ? [...malformed(), answer()] : malformed(),
      ...(length === '1,1' ? {} : { forwarded: 0 }),
    }),
  ),
  {
    name: 'two content-lengths that differ',
    source: 'RFC 9110 8.6',
    play: (client) => void client.ask(request('/', 'POST', ['content-length', '1'], ['content-length', '2']), 'a'),
    expect: malformed(),
    forwarded: 0,
  },
  {
    name: 'a body without content-length, one frame of it empty',
    source: 'RFC 9113 8.1',
    play: (client) => {
      const id = client.take();
      client.send(
        headers(id, block(request('/', 'POST'))),
        data(id, 'abc'),
        data(id, ''),
        data(id, 'def'),
        data(id, '', Flag.END_STREAM),
      );
    },
    expect: [answer()],
    check: ([arrived]) => bodyIs(arrived?.body.bytes(), 'abcdef'),
  },
  {
    name: 'a body with content-length',
    source: 'RFC 9113 8.1',
    play: (client) => void client.ask(request('/', 'PUT', ['content-length', '3']), 'abc'),
    expect: [answer()],
    check: ([arrived]) => {
      bodyIs(arrived?.body.bytes(), 'abc');
      if (valuesOf(arrived?.fields ?? [], 'content-length').join() !== '3')
        throw new Error('content-length at the origin');
    },
  },
];

export const trailers: readonly H2Case[] = [
  {
    name: 'trailers',
    source: 'RFC 9113 8.1',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST', ['trailer', 'x-sum']))), data(id, 'abc'));
      client.send(headers(id, block([['x-sum', '42']]), Flag.END_HEADERS | Flag.END_STREAM));
    },
    expect: [answer()],
    check: ([arrived]) => {
      bodyIs(arrived?.body.bytes(), 'abc');
      const got = valuesOf(arrived?.body.trailers ?? [], 'x-sum').join();
      if (got !== '42') throw new Error(`trailer at the origin: ${got}`);
    },
  },
  {
    name: 'trailers that may not be there are not passed on',
    source: 'RFC 9110 6.5.1',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST'))), data(id, 'abc'));
      const fields: H2Field[] = [
        ['content-length', '9'],
        ['host', 'evil.example'],
        ['authorization', 'a'],
        ['x-b', '1'],
      ];
      client.send(headers(id, block(fields), Flag.END_HEADERS | Flag.END_STREAM));
    },
    expect: [answer(), ...malformed()],
    check: ([arrived]) => {
      for (const name of ['content-length', 'host', 'authorization', 'transfer-encoding']) {
        if (valuesOf(arrived?.body.trailers ?? [], name).length > 0) throw new Error(`trailer ${name} at the origin`);
      }
    },
  },
  ...(
    [
      ['a pseudo-header field', [':method', 'GET']],
      ['an upper-case name', ['X-Sum', '42']],
      ['a connection-specific field', ['transfer-encoding', 'chunked']],
      ['a line feed', ['x-sum', 'a\nb']],
    ] as readonly (readonly [string, H2Field])[]
  ).map(
    ([name, field]): H2Case => ({
      name: `trailers with ${name}`,
      source: 'RFC 9113 8.1, 8.2, 8.3',
      play: (client) => {
        const id = client.take();
        client.send(headers(id, block(request('/', 'POST'))), data(id, 'abc'));
        client.send(headers(id, block([field]), Flag.END_HEADERS | Flag.END_STREAM));
      },
      expect: malformed(),
      forwarded: 0,
    }),
  ),
  {
    name: 'trailers in the place of a content-length that was not reached',
    source: 'RFC 9113 8.1.1',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST', ['content-length', '9']))), data(id, 'abc'));
      client.send(headers(id, block([['x-sum', '42']]), Flag.END_HEADERS | Flag.END_STREAM));
    },
    expect: malformed(),
    forwarded: 0,
  },
];

export const answers: readonly H2Case[] = [
  {
    name: 'HEAD',
    source: 'RFC 9110 9.3.2',
    play: (client) => void client.ask(request('/', 'HEAD')),
    expect: [answer()],
    check: (_, client) => {
      const { bodySize, head = [] } = client.stream(1) ?? {};
      if (bodySize !== 0 || fieldOf(head, 'content-length') !== '2') throw new Error(`${bodySize} octets of body`);
    },
  },
  ...[204, 304].map(
    (status): H2Case => ({
      name: `an answer of ${status}`,
      source: 'RFC 9110 6.4.1',
      play: (client, rig) => {
        answerWith(rig, ({ connection }) => connection.send(`HTTP/1.1 ${status} X\r\nETag: "a"\r\n\r\n`));
        client.ask();
      },
      expect: [answer(1, status)],
      forwarded: 1,
    }),
  ),
  {
    name: 'fields of the connection to the origin do not reach the client',
    source: 'RFC 9113 8.2.2',
    play: (client, rig) => {
      answerWith(
        rig,
        plainAnswer(
          'ok',
          'Connection: X-Hop, close',
          'X-Hop: 1',
          'Keep-Alive: timeout=5',
          'Upgrade: h2c',
          'X-Keep: Yes',
        ),
      );
      client.ask();
    },
    expect: [answer()],
    check: (_, client) => {
      const { head = [] } = client.stream(1) ?? {};
      if (fieldOf(head, 'x-hop') !== undefined || fieldOf(head, 'x-keep') !== 'Yes')
        throw new Error(JSON.stringify(head));
    },
  },
  {
    name: 'a chunked answer with trailers',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, ({ connection }) =>
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n'),
      );
      client.ask(request('/', 'GET', ['te', 'trailers']));
    },
    expect: [answer()],
    check: (_, client) => {
      const stream = client.stream(1);
      bodyIs(stream?.body, 'abc');
      if (fieldOf(stream?.trailers ?? [], 'x-sum') !== '42') throw new Error('no trailer at the client');
    },
  },
  {
    name: 'interim answers',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, (arrival) => {
        arrival.connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
        plainAnswer()(arrival);
      });
      client.ask();
    },
    expect: [answer()],
    check: (_, client) => {
      const hints = client.stream(1)?.interim.map((fields) => fieldOf(fields, ':status'));
      if (hints?.join() !== '103') throw new Error(`interim answers ${hints}`);
    },
  },
  {
    name: 'an answer before the request has ended',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      rig.origin.onHead = ({ connection }) =>
        connection.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST'))), data(id, 'abc'));
      return client
        .until(() => client.stream(1)?.reset !== undefined, 'the reset after the answer')
        .then(() => {
          rig.origin.onHead = undefined;
        });
    },
    expect: [answer(1, 413)],
    forwarded: 0,
    check: (_, client) => {
      if (client.stream(1)?.reset !== Code.NO_ERROR) throw new Error(`reset with ${client.stream(1)?.reset}`);
    },
  },
  {
    name: 'an answer that is cut is seen to be cut',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, ({ connection }) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
        connection.wire.finish();
      });
      client.ask();
    },
    expect: [streamError(1, Code.INTERNAL_ERROR, Code.CANCEL, Code.PROTOCOL_ERROR)],
    forwarded: 1,
  },
  {
    name: 'an origin that is gone',
    source: 'RFC 9110 15.6.3',
    play: async (client, rig) => {
      // A reset of a connection that was used before would be tried again.
      await rig.origin.hangUp();
      answerWith(rig, ({ connection }) => connection.wire.reset());
      client.ask();
    },
    expect: [answer(1, 502)],
    forwarded: 1,
  },
];

export const sizesOfHeads: readonly H2Case[] = [
  ...(
    [
      ['300 fields', Array.from({ length: 300 }, (_, at): H2Field => [`x-${at}`, 'a'])],
      ['300 crumbs of a cookie', Array.from({ length: 300 }, (_, at): H2Field => ['cookie', `a${at}=b`])],
      ['70,000 octets', Array.from({ length: 70 }, (_, at): H2Field => [`x-${at}`, 'a'.repeat(1_000)])],
    ] as readonly (readonly [string, readonly H2Field[]])[]
  ).map(
    ([name, more]): H2Case => ({
      name: `a head of ${name}`,
      source: 'RFC 9113 10.5.1',
      play: (client) => {
        const id = client.take();
        const bytes = block([...request(), ...more]);
        client.send(headers(id, bytes.subarray(0, 16_000), Flag.END_STREAM));
        for (let at = 16_000; at < bytes.length + 16_000; at += 16_000) {
          const isLast = at + 16_000 >= bytes.length;
          client.raw(Buffer.concat([frameOf(id, bytes.subarray(at, at + 16_000), isLast)]));
          if (isLast) break;
        }
      },
      expect: [
        answer(1, 431),
        streamError(1, Code.PROTOCOL_ERROR, Code.ENHANCE_YOUR_CALM, Code.REFUSED_STREAM),
        connectionError(Code.ENHANCE_YOUR_CALM, Code.PROTOCOL_ERROR, Code.COMPRESSION_ERROR),
      ],
      forwarded: 0,
    }),
  ),
  {
    name: 'a head of 150 fields and 40,000 octets',
    source: 'RFC 9113 10.5.1',
    play: (client) => {
      const id = client.take();
      const bytes = block([
        ...request(),
        ...Array.from({ length: 145 }, (_, at): H2Field => [`x-${at}`, 'a'.repeat(240)]),
      ]);
      client.send(headers(id, bytes.subarray(0, 16_000), Flag.END_STREAM));
      client.send(frameOf(id, bytes.subarray(16_000, 32_000), false), frameOf(id, bytes.subarray(32_000), true));
    },
    expect: [answer()],
    check: ([arrived]) => {
      if ((arrived?.fields.length ?? 0) < 146) throw new Error(`${arrived?.fields.length} fields at the origin`);
    },
  },
  {
    name: 'a request after one whose head was too large: the tables still agree',
    source: 'RFC 9113 10.5.1',
    play: async (client) => {
      const id = client.take();
      const added = Array.from({ length: 300 }, (_, at) =>
        Buffer.concat([Buffer.from([0x40, 3]), Buffer.from(`x${at % 10}y\x01a`)]),
      );
      client.send(headers(id, Buffer.concat([block(request()), ...added]), Flag.END_HEADERS | Flag.END_STREAM));
      const { status, reset } = await client.finished(id);
      if (status !== 431 && reset === undefined) throw new Error(`status ${status}`);
      client.send(
        headers(
          client.take(),
          Buffer.concat([block(request()), Buffer.from([0x80 + 62])]),
          Flag.END_HEADERS | Flag.END_STREAM,
        ),
      );
      await client.finished(3);
    },
    expect: [answer(3)],
    forwarded: 1,
    check: ([arrived]) => {
      if (valuesOf(arrived?.fields ?? [], 'x9y').join() !== 'a') throw new Error('the field of the table is missing');
    },
  },
];

function frameOf(id: number, bytes: Buffer, isLast: boolean): Buffer {
  const head = Buffer.from([0, bytes.length >> 8, bytes.length & 255, 9, isLast ? Flag.END_HEADERS : 0, 0, 0, 0, id]);
  return Buffer.concat([head, bytes]);
}

function startLineIs(line: string | undefined, wanted: string): void {
  if (line !== wanted) throw new Error(`start line at the origin: ${line}`);
}

function bodyIs(bytes: Buffer | undefined, text: string): void {
  if (bytes?.toString('latin1') !== text) throw new Error(`body ${JSON.stringify(bytes?.toString('latin1'))}`);
}

export const ignoredFrames: readonly H2Case[] = [
  {
    name: 'DATA and trailers of a stream that was refused are still read',
    source: 'RFC 9113 5.4.2',
    play: (client) => {
      const id = client.take();
      client.send(
        headers(id, block(request('/', 'POST', ['Bad', 'a']))),
        data(id, 'abc'),
        data(id, 'def', Flag.END_STREAM),
      );
    },
    expect: malformed(),
    forwarded: 0,
  },
  {
    name: 'a dozen of requests in one write, some of them malformed',
    source: 'RFC 9113 5.4.2',
    play: async (client) => {
      const ids = Array.from({ length: 12 }, (_, at) => client.ask(at % 3 === 0 ? request('bad') : request(`/${at}`)));
      for (const id of ids) await client.finished(id);
      const good = ids.filter((id) => client.stream(id)?.status === 200);
      if (good.length !== 8) throw new Error(`${good.length} answers of 200`);
    },
    expect: [{ kind: 'answer', stream: 3, statuses: [200] }, ignored],
    forwarded: 8,
  },
];
