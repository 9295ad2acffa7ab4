/**
 * Every message of the corpus, whole, byte by byte and cut at random, alone and with another message behind it.
 */
import { feedings } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { type CodecCase, REQUESTS } from './corpus/requests.ts';
import { RESPONSES } from './corpus/responses.ts';
import { requestTranscript, responseTranscript, type Transcript, type TranscriptOptions } from './transcript.ts';

type Decode = (chunks: Iterable<Uint8Array>, options?: TranscriptOptions) => Transcript;

/** The field lines of a message, as they came. */
function fieldsOf(bytes: string): string {
  const end = bytes.indexOf('\r\n\r\n', 2);
  return bytes.slice(bytes.indexOf('\r\n', 2) + 2, end + 2);
}

function expectAccepted(one: CodecCase, { events, error, state, consumed }: Transcript): void {
  const { head, fields = fieldsOf(one.bytes), body, trailers } = one;
  const end = trailers === undefined ? 'end' : `end with ${trailers}`;
  expect({ error, events }).toEqual({
    error: undefined,
    events: [`head ${head}\n${fields}`, ...(body === undefined ? [] : [`body ${body}`]), end],
  });
  expect({ state, consumed }).toEqual({ state: 'complete', consumed: one.bytes.length });
}

function expectRefused(one: CodecCase, status: string, { events, error, state }: Transcript): void {
  expect(error).toMatch(new RegExp(`^(InvalidHTTPHeader|InvalidChunk)${status}$`));
  expect(state).toBe('stopped');
  // After the head only what was certain by then; the end of the message is never reported.
  expect(events.filter((event) => event.startsWith('end'))).toEqual([]);
  const body = events.find((event) => event.startsWith('body '))?.slice(5) ?? '';
  expect((one.bodyBefore ?? '').startsWith(body)).toBe(true);
}

function check(cases: readonly CodecCase[], decode: Decode, statusOf: (status: number) => string): void {
  test.each(cases)('$name', (one) => {
    const closes = one.options?.closed === true;
    for (const { name, chunks } of feedings(one.bytes, { trailing: closes ? '' : 'GET /trailing HTTP/1.1\r\n\r\n' })) {
      const transcript = decode(chunks, one.options);
      try {
        if (one.refused === undefined) expectAccepted(one, transcript);
        else expectRefused(one, statusOf(one.refused), transcript);
      } catch (error) {
        if (error instanceof Error) error.message = `${name}: ${error.message}`;
        throw error;
      }
    }
  });
}

// The codec leaves 400 to statusFor wherever nothing more precise applies.
describe('requests', () =>
  check(REQUESTS, requestTranscript, (status) => (status === 400 ? '(?: 400)?' : ` ${status}`)));
describe('responses', () => check(RESPONSES, responseTranscript, () => ''));

test('no two cases have the same name or bytes and options', () => {
  for (const cases of [REQUESTS, RESPONSES]) {
    const keys = cases.map(({ bytes, options }) => JSON.stringify([bytes, options]));
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  }
});
