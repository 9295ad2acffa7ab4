/**
 * Pseudo-header fields, and CONNECT with and without a protocol: RFC 9113 sections 8.3 and 8.5, RFC 8441.
 */
import { answer, type H2Case, streamError } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { Code, headers } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { valuesOf } from '../../src/wire-head.ts';
import { badRequest as bad, goodRequest as good, startLineIs } from './judge.ts';
import { answerWith } from './scripts.ts';

const [METHOD, SCHEME, PATH, HOST] = request() as [H2Field, H2Field, H2Field, H2Field];

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
