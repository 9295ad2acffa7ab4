import { CirqueError } from '@cirque/error';
import { byteByByte, cutAt, feedings } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { requestTranscript, responseTranscript } from '../test/transcript.ts';
import { DEFAULT_HTTP1_LIMITS } from './limits.ts';
import type { MessageDecoder, MessageSink } from './message-decoder.ts';
import { RequestDecoder } from './request-decoder.ts';
import { RequestRules, requestHead } from './request-head.ts';
import { ResponseDecoder } from './response-decoder.ts';
import { ResponseRules } from './response-head.ts';

/** Events as words; `on` may act on the decoder at each. */
class Sink implements MessageSink {
  readonly events: string[] = [];
  on: (event: string) => void = () => {};

  #note(event: string): void {
    this.events.push(event);
    this.on(event);
  }
  onMessageHead(): void {
    this.#note('head');
  }
  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#note(`body ${buffer.toString('latin1', start, end)}`);
  }
  onMessageEnd(): void {
    this.#note('end');
  }
  /** Everything since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }
}

const NOTHING = Buffer.alloc(0);

function server(limits = DEFAULT_HTTP1_LIMITS): { sink: Sink; decoder: RequestDecoder } {
  const sink = new Sink();
  return { sink, decoder: new RequestDecoder(sink, new RequestRules(limits, {})) };
}

function client(): { sink: Sink; decoder: ResponseDecoder } {
  const sink = new Sink();
  return { sink, decoder: new ResponseDecoder(sink, new ResponseRules(DEFAULT_HTTP1_LIMITS)) };
}

function feed(decoder: MessageDecoder, text: string): number {
  return decoder.feed(Buffer.from(text, 'latin1'), 0, text.length);
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKS =
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n3\r\n, w\r\n0\r\nX-T: u\r\n\r\n';
const CLOSING = 'HTTP/1.1 200 OK\r\n\r\nhello';

describe('MessageDecoder', () => {
  describe.each([
    ['GET', GET],
    ['POST', POST],
    ['CHUNKS', CHUNKS],
  ])('one request: %s', (_, message) => {
    const whole = requestTranscript([Buffer.from(message)]);
    test.each(feedings(message, { trailing: GET }))('MessageDecoder reports the same: $name', ({ chunks }) => {
      expect(requestTranscript(chunks)).toEqual(whole);
      expect(whole).toMatchObject({ error: undefined, state: 'complete', consumed: message.length });
    });

    test('MessageDecoder reports the same wherever it is cut in two', () => {
      for (let at = 0; at <= message.length; at += 1) {
        expect(requestTranscript(cutAt(message, at))).toEqual(whole);
      }
    });

    test('MessageDecoder reports a cut message when the connection ends early, at every byte', () => {
      for (let at = 0; at < message.length; at += 1) {
        const { error, events } = requestTranscript([Buffer.from(message.slice(0, at))], { closed: true });
        expect(error).toBe(at === 0 ? undefined : 'ConnectionClosed');
        expect(events).not.toContain('end');
      }
      expect(requestTranscript([Buffer.from(message)], { closed: true })).toEqual(whole);
    });
  });

  test('MessageDecoder reads pipelined messages of every kind, however they are cut', () => {
    const messages = [GET, POST, `\r\n${GET}`, CHUNKS, GET, POST].join('');
    const whole = requestTranscript([Buffer.from(messages)], { pipelined: true });
    expect(whole).toMatchObject({ state: 'head', consumed: messages.length });
    expect(whole.events.filter((event) => event.startsWith('end'))).toHaveLength(6);
    expect(requestTranscript(byteByByte(messages), { pipelined: true })).toEqual(whole);
    for (let at = 0; at <= messages.length; at += 1) {
      expect(requestTranscript(cutAt(messages, at), { pipelined: true })).toEqual(whole);
    }
  });

  test('MessageDecoder ends a body without length with the connection, and only there', () => {
    for (const { chunks } of feedings(CLOSING)) {
      expect(responseTranscript(chunks)).toMatchObject({ state: 'until-close', error: undefined });
      const { events, error, state } = responseTranscript(chunks, { closed: true });
      expect(events.slice(1)).toEqual(['body hello', 'end']);
      expect([error, state]).toEqual([undefined, 'complete']);
    }
  });

  test('MessageDecoder consumes nothing after a complete message until next', () => {
    const { sink, decoder } = server();
    expect(feed(decoder, `${GET}${POST}`)).toBe(GET.length);
    expect(feed(decoder, POST)).toBe(0);
    expect(sink.take()).toEqual(['head', 'end']);
    expect(decoder.state).toBe('complete');
    decoder.next();
    expect(decoder.state).toBe('head');
    expect(feed(decoder, POST)).toBe(POST.length);
    expect(sink.take()).toEqual(['head', 'body hello', 'end']);
  });

  test('MessageDecoder.next does nothing inside a message', () => {
    const { sink, decoder } = server();
    feed(decoder, POST.slice(0, -2));
    decoder.next();
    expect(decoder.state).toBe('length');
    feed(decoder, 'lo');
    expect(sink.take()).toEqual(['head', 'body hel', 'body lo', 'end']);
  });

  test('MessageDecoder.next from onMessageEnd goes on in the same feed', () => {
    const { sink, decoder } = server();
    sink.on = (event) => {
      if (event === 'end') decoder.next();
    };
    const many = GET.repeat(5_000);
    expect(feed(decoder, many)).toBe(many.length);
    expect(sink.events).toHaveLength(10_000);
  });

  describe('hold', () => {
    test.each(['head', 'body', 'end'])(
      'MessageDecoder reports nothing after hold in %s, until unhold and feed',
      (at) => {
        for (const message of [GET, POST, CHUNKS]) {
          const { sink, decoder } = server();
          sink.on = (event) => {
            if (event.startsWith(at)) decoder.hold();
          };
          const input = `${message}${GET}`;
          const consumed = feed(decoder, input);
          const before = sink.take();
          const held = before.some((event) => event.startsWith(at));
          if (held) expect(before.at(-1)?.startsWith(at)).toBe(true);
          expect(feed(decoder, input.slice(consumed))).toBe(0);
          decoder.unhold();
          expect(sink.take()).toEqual([]);
          sink.on = () => {};
          expect(consumed + feed(decoder, input.slice(consumed))).toBe(message.length);
          const events = [...before, ...sink.take()];
          expect(events.filter((event) => event === 'end')).toHaveLength(1);
          expect(events.at(-1)).toBe('end');
          expect(decoder.state).toBe('complete');
        }
      },
    );

    test('MessageDecoder is ending, and received, while the end of a message is held back', () => {
      const { sink, decoder } = server();
      sink.on = () => decoder.hold();
      feed(decoder, GET);
      expect([decoder.state, decoder.received]).toEqual(['ending', true]);
      decoder.unhold();
      decoder.feed(NOTHING, 0, 0);
      expect(sink.take()).toEqual(['head', 'end']);
      expect(decoder.state).toBe('complete');
    });

    test('MessageDecoder holds the end of a length body whose last byte was reported', () => {
      const { sink, decoder } = server();
      sink.on = (event) => {
        if (event.startsWith('body')) decoder.hold();
      };
      expect(feed(decoder, `${POST}${GET}`)).toBe(POST.length);
      expect(sink.take()).toEqual(['head', 'body hello']);
      expect(decoder.state).toBe('ending');
      expect(feed(decoder, GET)).toBe(0);
      decoder.unhold();
      expect(feed(decoder, GET)).toBe(0);
      expect(sink.take()).toEqual(['end']);
    });

    test('MessageDecoder holds between any two pieces of a chunked body', () => {
      const { sink, decoder } = server();
      sink.on = (event) => {
        if (event.startsWith('body')) decoder.hold();
      };
      let rest = CHUNKS;
      const seen: string[][] = [];
      while (rest !== '') {
        rest = rest.slice(feed(decoder, rest));
        seen.push(sink.take());
        decoder.unhold();
      }
      expect(seen).toEqual([['head', 'body hello'], ['body , w'], ['end']]);
    });

    test('MessageDecoder.finish holds the end of a body until close back as well', () => {
      const { sink, decoder } = client();
      feed(decoder, CLOSING);
      sink.take();
      decoder.hold();
      decoder.finish();
      expect(sink.take()).toEqual([]);
      expect([decoder.state, decoder.received]).toEqual(['ending', true]);
      decoder.feed(NOTHING, 0, 0);
      expect(sink.take()).toEqual([]);
      decoder.unhold();
      decoder.feed(NOTHING, 0, 0);
      expect(sink.take()).toEqual(['end']);
    });

    test('MessageDecoder.next gives up an end that is held back: nobody waits for it', () => {
      const { sink, decoder } = server();
      sink.on = () => decoder.hold();
      feed(decoder, GET);
      decoder.unhold();
      decoder.next();
      sink.on = () => {};
      feed(decoder, POST);
      expect(sink.take()).toEqual(['head', 'head', 'body hello', 'end']);
    });
  });

  describe('stop', () => {
    test.each(['head', 'body', 'end'])('MessageDecoder reports and consumes nothing after stop in %s', (at) => {
      for (const message of [GET, POST, CHUNKS]) {
        const { sink, decoder } = server();
        sink.on = (event) => {
          if (event.startsWith(at)) decoder.stop();
        };
        feed(decoder, `${message}${GET}`);
        const events = sink.take();
        if (!events.some((event) => event.startsWith(at))) continue;
        expect(events.at(-1)?.startsWith(at)).toBe(true);
        decoder.unhold();
        decoder.next();
        expect(feed(decoder, GET)).toBe(0);
        expect(sink.take()).toEqual([]);
        expect([decoder.state, decoder.received]).toEqual(['stopped', false]);
        expect(() => decoder.finish()).not.toThrow();
      }
    });

    test('MessageDecoder stops at an error and throws it once', () => {
      const { sink, decoder } = server();
      expect(() => feed(decoder, 'GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n')).toThrowError(CirqueError);
      expect(decoder.state).toBe('stopped');
      expect(feed(decoder, GET)).toBe(0);
      expect(sink.events).toEqual([]);
      expect(() => decoder.finish()).not.toThrow();
    });

    test('MessageDecoder stops when its sink throws, and lets the error through', () => {
      for (const at of ['head', 'body', 'end']) {
        const { sink, decoder } = server();
        sink.on = (event) => {
          if (event.startsWith(at)) throw new RangeError('of the sink');
        };
        expect(() => feed(decoder, CHUNKS)).toThrowError(RangeError);
        expect(decoder.state).toBe('stopped');
      }
    });
  });

  describe('finish', () => {
    test('MessageDecoder.finish between messages is an orderly end', () => {
      const { decoder } = server();
      decoder.finish();
      expect(feed(decoder, GET)).toBe(0);
    });

    test('MessageDecoder.finish leaves a complete message complete', () => {
      const { decoder } = server();
      feed(decoder, GET);
      decoder.finish();
      expect([decoder.state, decoder.received]).toEqual(['complete', true]);
    });

    test('MessageDecoder.finish says where the message was cut', () => {
      for (const [part, where] of [
        ['GET /', 'inside a head'],
        [POST.slice(0, -1), 'before the end of the body'],
        [CHUNKS.slice(0, -1), 'before the end of the body'],
      ] as const) {
        const { decoder } = server();
        feed(decoder, part);
        expect(() => decoder.finish()).toThrowError(where);
        expect(decoder.state).toBe('stopped');
      }
    });

    test('MessageDecoder does not take the empty line before a request for a head', () => {
      const { decoder } = server();
      for (const byte of '\r\n') {
        feed(decoder, byte);
        expect(decoder.insideHead).toBe(false);
      }
      expect(() => decoder.finish()).not.toThrow();
    });
  });

  test('MessageDecoder.insideHead is true from the first byte of a head to its last', () => {
    const { decoder } = server();
    expect(decoder.insideHead).toBe(false);
    for (const byte of GET.slice(0, -1)) {
      feed(decoder, byte);
      expect(decoder.insideHead).toBe(true);
    }
    feed(decoder, '\n');
    expect(decoder.insideHead).toBe(false);
  });

  test('MessageDecoder.expectsBody knows what is certain to come', () => {
    const { decoder } = server();
    expect(decoder.expectsBody(1)).toBe(false);
    feed(decoder, POST.slice(0, -5));
    expect([decoder.expectsBody(5), decoder.expectsBody(6)]).toEqual([true, false]);
    feed(decoder, 'hel');
    expect([decoder.expectsBody(2), decoder.expectsBody(3)]).toEqual([true, false]);
    feed(decoder, 'lo');
    expect(decoder.expectsBody(0)).toBe(false);
    decoder.next();
    feed(decoder, CHUNKS.slice(0, CHUNKS.indexOf('hello')));
    expect(decoder.expectsBody(1)).toBe(true);
    feed(decoder, 'hello');
    expect(decoder.expectsBody(1)).toBe(false);
    const { decoder: other } = client();
    feed(other, CLOSING);
    expect(other.expectsBody(1_000_000)).toBe(true);
  });

  test('MessageDecoder has the head in the registers of its parser when it reports it, also when it came in pieces', () => {
    const { sink, decoder } = server();
    const seen: string[] = [];
    sink.on = (event) => {
      if (event === 'head') seen.push(`${requestHead.header.method} ${requestHead.header.getHeader('host')}`);
      else if (event === 'end') decoder.next();
    };
    for (const byte of byteByByte(`${GET}${POST}`)) decoder.feed(byte, 0, 1);
    expect(seen).toEqual(['GET a', 'POST a']);
  });
});

describe('ResponseDecoder', () => {
  test('ResponseDecoder knows by the method of the request that there is no body', () => {
    const { sink, decoder } = client();
    decoder.requestMethod = 'HEAD';
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    expect(feed(decoder, `${head}hello`)).toBe(head.length);
    expect(sink.take()).toEqual(['head', 'end']);
  });

  test('ResponseDecoder relays interim responses before the final one', () => {
    const { events } = responseTranscript(
      [
        Buffer.from(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
        ),
      ],
      { pipelined: true },
    );
    expect(events.map((event) => event.slice(0, 8))).toEqual(['head 100', 'end', 'head 103', 'end', 'head 204', 'end']);
  });
});
