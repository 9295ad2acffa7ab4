/**
 * Heads that are too large, and refused requests among good ones: RFC 9113 sections 5.4.2 and 10.5.1.
 */
import { answer, connectionError, type H2Case, ignored, malformed, streamError } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { Code, continuation, data, Flag, headers } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { valuesOf } from '../../src/wire-head.ts';

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
          client.send(continuation(id, bytes.subarray(at, at + 16_000), isLast ? Flag.END_HEADERS : 0));
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
      client.send(continuation(id, bytes.subarray(16_000, 32_000), 0), continuation(id, bytes.subarray(32_000)));
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
