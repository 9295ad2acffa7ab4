import { CirqueError } from '@cirque/error';
import { cutAtRandom, feedings, feedSync } from '@cirque/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkedDecoder, type ChunkSink } from './chunked.ts';
import { resolveHttp1Limits } from './limits.ts';

const NEVER = (): boolean => false;

interface Decoded {
  payload: string;
  /** Offset after the body; undefined while it is not complete. */
  end: number | undefined;
  trailers: string | undefined;
  failed: boolean;
}

function decode(chunks: Iterable<Uint8Array>): Decoded {
  const decoder = new ChunkedDecoder('Downstream', resolveHttp1Limits());
  decoder.reset();
  const result: Decoded = { payload: '', end: undefined, trailers: undefined, failed: false };
  const sink: ChunkSink = {
    onBodyBytes(buffer, start, end) {
      if (end <= start) throw new Error('an empty piece');
      result.payload += buffer.toString('latin1', start, end);
    },
  };
  let offset = 0;
  try {
    feedSync(chunks, (chunk) => {
      const next = decoder.decode(chunk, 0, chunk.length, sink, NEVER);
      if (decoder.done && result.end === undefined) result.end = offset + next;
      else if (!decoder.done && next !== chunk.length) throw new Error('bytes were left although the body goes on');
      offset += chunk.length;
    });
  } catch (error) {
    if (!(error instanceof CirqueError)) throw error;
    result.failed = true;
  }
  result.trailers = decoder.trailers?.serialize();
  return result;
}

const VALUE = '[\\t\\x20-\\x7e\\x80-\\xff]';
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,13})(;${VALUE}*)?\\r\\n`);
const SIZE_LINE_BEGUN = new RegExp(`^(|[0-9A-Fa-f]{1,13}((;${VALUE}*)?\\r?))$`);
const TRAILER = new RegExp(`^[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+:${VALUE}*\\r\\n`);
const TRAILER_BEGUN = new RegExp(`^(\\r?|[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+(:${VALUE}*\\r?)?)$`);

/** RFC 9112 section 7.1 by patterns over the whole text. */
function reference(text: string): Decoded {
  const result: Decoded = { payload: '', end: undefined, trailers: undefined, failed: false };
  const stuck = (begun: boolean): Decoded => ({ ...result, failed: !begun });
  for (let rest = text; ; ) {
    const line = SIZE_LINE.exec(rest);
    if (line === null) return stuck(SIZE_LINE_BEGUN.test(rest));
    const size = Number.parseInt(line[1] as string, 16);
    rest = rest.slice(line[0].length);
    if (size === 0) {
      let trailers = '';
      for (let field = TRAILER.exec(rest); field !== null; field = TRAILER.exec(rest)) {
        trailers += field[0];
        rest = rest.slice(field[0].length);
      }
      if (!rest.startsWith('\r\n')) return stuck(TRAILER_BEGUN.test(rest));
      return { ...result, end: text.length - rest.length + 2, trailers: trailers === '' ? undefined : trailers };
    }
    result.payload += rest.slice(0, size);
    if (rest.length < size) return result;
    rest = rest.slice(size);
    if (!rest.startsWith('\r\n')) return stuck('\r'.startsWith(rest));
    rest = rest.slice(2);
  }
}

const payloadPiece = fc.string({
  unit: fc.constantFrom('a', '0', '\r', '\n', ';', '\0', '\xff'),
  minLength: 1,
  maxLength: 20,
});
const extension = fc.constantFrom('', '', ';', ';a', ';a=b', '; a="b;c"', ';\t\xff');
const trailer = fc.constantFrom('A: b\r\n', 'a:\r\n', 'Content-Length: 5\r\n', 'X: \xff\t\r\n');
const body = fc
  .tuple(
    fc.array(fc.tuple(payloadPiece, extension, fc.boolean(), fc.nat(3)), { maxLength: 6 }),
    fc.array(trailer, { maxLength: 3 }),
    extension,
  )
  .map(([pieces, trailers, last]) => {
    const chunks = pieces.map(([data, ext, upper, zeros]) => {
      const hex = '0'.repeat(zeros) + data.length.toString(16);
      return `${upper ? hex.toUpperCase() : hex}${ext}\r\n${data}\r\n`;
    });
    return {
      text: `${chunks.join('')}0${last}\r\n${trailers.join('')}\r\n`,
      payload: pieces.map(([data]) => data).join(''),
      trailers: trailers.length === 0 ? undefined : trailers.join(''),
    };
  });

describe('ChunkedDecoder', () => {
  test('ChunkedDecoder gives the payload back, however it was chunked and cut', () => {
    fc.assert(
      fc.property(body, fc.nat(), fc.constantFrom('', 'GET / HTTP/1.1\r\n\r\n', '0\r\n\r\n'), (one, seed, behind) => {
        const { text, payload, trailers } = one;
        const expected: Decoded = { payload, end: text.length, trailers, failed: false };
        expect(reference(text + behind)).toEqual(expected);
        expect(decode([Buffer.from(text + behind, 'latin1')])).toEqual(expected);
        expect(decode(cutAtRandom(text, seed))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test('ChunkedDecoder judges damaged bodies as the grammar does', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom('', '0', '5', 'f', 'g', '\r', '\n', '\r\n', ';', ' ', '\0', ':', '-', '\xff'),
    );
    const outcomes = { failed: 0, open: 0, complete: 0 };
    fc.assert(
      fc.property(body, fc.array(damage, { minLength: 1, maxLength: 3 }), fc.nat(), (one, damages, seed) => {
        let { text } = one;
        for (const [place, put] of damages) {
          const at = place % (text.length + 1);
          // Every sixth damage loses the rest.
          text = text.slice(0, at) + put + (place % 6 === 0 ? '' : text.slice(at + (place % 2)));
        }
        const expected = reference(text);
        outcomes[expected.failed ? 'failed' : expected.end === undefined ? 'open' : 'complete'] += 1;
        const whole = decode([Buffer.from(text, 'latin1')]);
        const cut = decode(cutAtRandom(text, seed));
        for (const result of [whole, cut]) {
          expect(expected.payload.startsWith(result.payload)).toBe(true);
          // What could never become a body may go unnoticed while a section is incomplete, but never pass for complete.
          if (expected.failed) expect(result.end).toBeUndefined();
          else expect(result).toEqual(expected);
        }
        if (expected.failed) expect(whole.failed).toBe(true);
      }),
      { numRuns: 4_000 },
    );
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
  });

  test.each(feedings('3\r\nabc\r\n2;x\r\nde\r\n0\r\nA: b\r\n\r\n', { trailing: '5\r\n' }))(
    'ChunkedDecoder leaves alone what follows: $name',
    ({ chunks }) => {
      expect(decode(chunks)).toEqual({ payload: 'abcde', end: 28, trailers: 'A: b\r\n', failed: false });
    },
  );

  test('ChunkedDecoder reports ranges of its input, not copies', () => {
    const decoder = new ChunkedDecoder('Upstream', resolveHttp1Limits());
    decoder.reset();
    const input = Buffer.from('xx3\r\nabc\r\n');
    const seen: unknown[] = [];
    decoder.decode(input, 2, input.length, { onBodyBytes: (...range) => seen.push(range) }, NEVER);
    expect(seen).toEqual([[input, 5, 8]]);
    expect((seen[0] as [Buffer])[0]).toBe(input);
  });

  test('ChunkedDecoder stops after a piece of payload when told to, and goes on from there', () => {
    const text = Buffer.from('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    const decoder = new ChunkedDecoder('Upstream', resolveHttp1Limits());
    decoder.reset();
    const offsets: number[] = [];
    let payload = '';
    const sink: ChunkSink = {
      onBodyBytes(buffer, start, end) {
        payload += buffer.toString('latin1', start, end);
      },
    };
    for (let at = 0; at < text.length; ) {
      at = decoder.decode(text, at, text.length, sink, () => true);
      offsets.push(at);
    }
    expect(offsets).toEqual([6, 13, 20]);
    expect([payload, decoder.done]).toEqual(['abcde', true]);
  });

  test('ChunkedDecoder.reset forgets the last body, also one that was cut anywhere', () => {
    const decoder = new ChunkedDecoder('Upstream', resolveHttp1Limits());
    const sink: ChunkSink = { onBodyBytes() {} };
    const text = Buffer.from('3;x\r\nabc\r\n0\r\nA: b\r\n\r\n');
    for (let cut = 0; cut <= text.length; cut += 1) {
      decoder.reset();
      decoder.decode(text, 0, cut, sink, NEVER);
      decoder.reset();
      expect([decoder.done, decoder.trailers]).toEqual([false, undefined]);
      const next = Buffer.from('1\r\nz\r\n0\r\n\r\n');
      expect(decoder.decode(next, 0, next.length, sink, NEVER)).toBe(next.length);
      expect([decoder.done, decoder.trailers]).toEqual([true, undefined]);
    }
  });

  test('ChunkedDecoder consumes nothing before reset and after the end', () => {
    const decoder = new ChunkedDecoder('Upstream', resolveHttp1Limits());
    const text = Buffer.from('0\r\n\r\n');
    const sink: ChunkSink = { onBodyBytes() {} };
    expect(decoder.decode(text, 0, 5, sink, NEVER)).toBe(0);
    decoder.reset();
    expect(decoder.decode(text, 0, 5, sink, NEVER)).toBe(5);
    expect(decoder.decode(text, 0, 5, sink, NEVER)).toBe(0);
  });

  test('ChunkedDecoder.trailers says of lengths and hop-by-hop fields what is there', () => {
    const trailersOf = (lines: string): ChunkedDecoder['trailers'] => {
      const decoder = new ChunkedDecoder('Upstream', resolveHttp1Limits());
      decoder.reset();
      const text = Buffer.from(`0\r\n${lines}\r\n`);
      decoder.decode(text, 0, text.length, { onBodyBytes() {} }, NEVER);
      return decoder.trailers;
    };
    expect(trailersOf('A: b\r\n')?.contentLength).toBe(-1);
    expect(trailersOf('Content-Length: 5\r\n')?.contentLength).toBe(5);
    expect(trailersOf('Content-Length: x\r\n')?.contentLength).toBeNaN();
    expect(trailersOf('Content-Length: 5\r\nContent-Length: 5\r\n')?.contentLength).toBeNaN();
    const trailers = trailersOf('TE: x\r\nA: b\r\nConnection: a\r\n');
    trailers?.stripHopByHop(undefined);
    expect(trailers?.serialize()).toBe('A: b\r\n');
  });

  test('ChunkedDecoder says whose fault it was', () => {
    for (const source of ['Upstream', 'Downstream'] as const) {
      for (const text of ['x', '5\r\nhello!', '0\r\n A: b\r\n']) {
        const decoder = new ChunkedDecoder(source, resolveHttp1Limits());
        decoder.reset();
        expect(() => decoder.decode(Buffer.from(text), 0, text.length, { onBodyBytes() {} }, NEVER)).toThrowError(
          expect.objectContaining({ source }),
        );
      }
    }
  });
});
