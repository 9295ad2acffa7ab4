/**
 * Field blocks: every representation, and what is not one (RFC 7541 sections 2 to 6).
 */
import { answer, connectionError, type H2Case } from '../../src/h2-case.ts';
import { type H2Client, request } from '../../src/h2-client.ts';
import { Code, Flag, headers } from '../../src/h2-frames.ts';
import {
  block,
  huffmanBits,
  huffmanString,
  indexed,
  integer,
  literal,
  plainString,
  type Representation,
  sizeUpdate,
} from '../../src/h2-hpack.ts';
import { valuesOf } from '../../src/wire-head.ts';

const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;
const REQUEST = block(request());

function ask(client: H2Client, ...parts: readonly Buffer[]): number {
  const id = client.take();
  client.send(headers(id, Buffer.concat([...parts]), WHOLE));
  return id;
}

const REPRESENTATIONS: readonly Representation[] = ['indexed', 'not-indexed', 'never-indexed'];

export const representations: readonly H2Case[] = [
  {
    name: 'indexed fields of the static table',
    source: 'RFC 7541 6.1',
    play: (client) => void ask(client, indexed(2), indexed(6), indexed(4), literal(1, 'a.example'), indexed(16)),
    expect: [answer()],
    check: ([arrived]) => valueIs(valuesOf(arrived?.fields ?? [], 'accept-encoding'), 'gzip, deflate'),
  },
  ...REPRESENTATIONS.flatMap((representation) =>
    [plainString, huffmanString].flatMap((string) =>
      [['user-agent', 58] as const, ['x-test', 'x-test'] as const].map(
        ([name, index]): H2Case => ({
          name: `a literal, ${representation}, ${typeof index === 'number' ? 'indexed' : 'new'} name, ${string.name}`,
          source: 'RFC 7541 6.2',
          play: (client) => void ask(client, REQUEST, literal(index, 'Value 123!', representation, string)),
          expect: [answer()],
          check: ([arrived]) => valueIs(valuesOf(arrived?.fields ?? [], name), 'Value 123!'),
        }),
      ),
    ),
  ),
  {
    name: 'a field of the dynamic table, on another stream',
    source: 'RFC 7541 2.3.2',
    play: async (client) => {
      await client.finished(
        ask(client, REQUEST, literal('x-test', 'one', 'indexed'), literal('x-test', 'two', 'indexed')),
      );
      ask(client, REQUEST, indexed(62), indexed(63), literal(63, 'three'));
    },
    expect: [answer(3)],
    forwarded: 2,
    check: (requests) => valueIs(valuesOf(requests[1]?.fields ?? [], 'x-test'), 'two,one,three'),
  },
  {
    name: 'size updates at the beginning of a block',
    source: 'RFC 7541 6.3',
    play: (client) => void ask(client, sizeUpdate(0), sizeUpdate(4_096), REQUEST),
    expect: [answer()],
  },
  {
    name: 'a table that was emptied by a size update fills again',
    source: 'RFC 7541 4.3',
    play: async (client) => {
      await client.finished(ask(client, REQUEST, literal('x-test', 'one', 'indexed')));
      ask(client, sizeUpdate(0), sizeUpdate(100), REQUEST, literal('x-test', 'two', 'indexed'), indexed(62));
    },
    expect: [answer(3)],
    forwarded: 2,
    check: (requests) => valueIs(valuesOf(requests[1]?.fields ?? [], 'x-test'), 'two,two'),
  },
  {
    name: 'a field larger than the table empties it',
    source: 'RFC 7541 4.4',
    play: async (client) => {
      await client.finished(ask(client, REQUEST, literal('x-test', 'one', 'indexed')));
      await client.finished(ask(client, REQUEST, literal('x-test', 'a'.repeat(4_096), 'indexed')));
      ask(client, REQUEST, indexed(62));
    },
    expect: [connectionError(Code.COMPRESSION_ERROR)],
    forwarded: 2,
  },
  {
    name: 'every octet that a value may have, Huffman-coded',
    source: 'RFC 7541 5.2',
    play: (client) => void ask(client, REQUEST, literal('x-test', EVERY_OCTET, 'not-indexed', huffmanString)),
    expect: [answer()],
    check: ([arrived]) => valueIs(valuesOf(arrived?.fields ?? [], 'x-test'), EVERY_OCTET),
  },
  {
    name: 'integers that are longer than they need be',
    source: 'RFC 7541 5.1',
    play: (client) => void ask(client, REQUEST, Buffer.from([0x0f, 0xab, 0x80, 0x80, 0x00]), plainString('agent')),
    expect: [answer()],
    check: ([arrived]) => valueIs(valuesOf(arrived?.fields ?? [], 'user-agent'), 'agent'),
  },
];

const EVERY_OCTET = `a${Buffer.from(
  Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => octet >= 0x20 && octet !== 0x7f),
).toString('latin1')}`;

export const damages: readonly H2Case[] = (
  [
    ['index 0', indexed(0), '6.1'],
    ['an index behind both tables', indexed(62), '2.3.3'],
    ['an index far behind both tables', indexed(70_000), '2.3.3'],
    ['a name index behind both tables', literal(62, 'a'), '2.3.3'],
    ['a name index behind both tables, to be indexed', literal(63, 'a', 'indexed'), '2.3.3'],
    ['a size update after a field', sizeUpdate(0), '4.2'],
    [
      'padding of more than 7 bits',
      Buffer.concat([literal('x', '').subarray(0, 3), huffmanBits('0001111111111111')]),
      '5.2',
    ],
    ['padding of zeros', Buffer.concat([literal('x', '').subarray(0, 3), huffmanBits('00011000')]), '5.2'],
    ['the end-of-string symbol', Buffer.concat([literal('x', '').subarray(0, 3), huffmanBits('1'.repeat(32))]), '5.2'],
    ['a string beyond the end of the block', Buffer.concat([Buffer.from([0, 1, 0x78]), integer(0, 7, 10)]), '5.2'],
    ['a string of 4 GiB', Buffer.concat([Buffer.from([0, 1, 0x78]), integer(0, 7, 0xffffffff)]), '5.1'],
    ['an integer that does not end', Buffer.from([0xff, ...Array<number>(200).fill(0xff)]), '5.1'],
    ['an integer that is cut', Buffer.from([0xff, 0x80]), '5.1'],
    ['a literal without a value', Buffer.from([0x40, 1, 0x78]), '6.2.1'],
  ] as const
).map(([name, bytes, section]) => ({
  name,
  source: `RFC 7541 ${section}`,
  play: (client) => void ask(client, REQUEST, bytes),
  expect: [connectionError(Code.COMPRESSION_ERROR)],
  forwarded: 0,
}));

export const sizeUpdates: readonly H2Case[] = [
  {
    name: 'a size update beyond what the server allows',
    source: 'RFC 7541 6.3',
    play: async (client) => {
      await client.until(() => client.settings.size > 0, 'the settings');
      ask(client, sizeUpdate(Math.max(4_096, client.settings.get(1) ?? 0) + 1), REQUEST);
    },
    expect: [connectionError(Code.COMPRESSION_ERROR)],
    forwarded: 0,
  },
  {
    name: 'damage in a block of a stream that was refused anyway',
    source: 'RFC 9113 4.3',
    play: (client) => void ask(client, block(request('no-slash')), indexed(0)),
    expect: [connectionError(Code.COMPRESSION_ERROR)],
    forwarded: 0,
  },
  {
    name: 'damage in trailers',
    source: 'RFC 9113 4.3',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST'))), headers(id, indexed(0), WHOLE));
    },
    expect: [connectionError(Code.COMPRESSION_ERROR)],
    forwarded: 0,
  },
];

function valueIs(values: readonly string[], wanted: string): void {
  const got = values.join();
  if (got !== wanted) throw new Error(`value at the origin: ${JSON.stringify(got)}`);
}
