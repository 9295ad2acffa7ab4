/**
 * Bodies and trailers of requests: RFC 9113 section 8.1.
 */
import { answer, type H2Case, malformed } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { data, Flag, headers } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { valuesOf } from '../../src/wire-head.ts';
import { badRequest as bad, bodyIs } from './judge.ts';

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
