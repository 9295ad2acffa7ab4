/**
 * Writes down what a decoder reports, in a form that does not depend on how its input was cut.
 *
 * Each chunk is given inside of a larger buffer whose other bytes are poison, and overwritten afterwards: a decoder
 * that reads beyond its range, or keeps what it may not keep, gives another transcript.
 */
import { CirqueError } from '@cirque/error';
import {
  DEFAULT_HTTP1_LIMITS,
  type DecoderState,
  type Http1Leniency,
  type Http1Limits,
  type MessageDecoder,
  type MessageSink,
  RequestDecoder,
  RequestRules,
  ResponseDecoder,
  ResponseRules,
  requestHead,
  responseHead,
} from '../src/index.ts';

/** What came of some input. */
export interface Transcript {
  /** `head ...`, `body ...` (pieces joined), `end`, `end with <trailer lines>`. */
  readonly events: readonly string[];
  /** Type and status of the error, if there was one. */
  readonly error: string | undefined;
  readonly state: DecoderState;
  /** Bytes consumed before the error, if any: then only those of finished calls. */
  readonly consumed: number;
}

export interface TranscriptOptions {
  readonly limits?: Partial<Http1Limits>;
  readonly lenient?: Http1Leniency;
  /** For responses: the methods of the requests, the last one for all further responses. Default GET. */
  readonly methods?: readonly string[];
  /** Go on with the next message after each. Default false: what follows the first message is left alone. */
  readonly pipelined?: boolean;
  /** The connection ends after the input. Default false. */
  readonly closed?: boolean;
}

class Recorder implements MessageSink {
  readonly events: string[] = [];
  decoder: MessageDecoder | undefined;
  readonly #describe: () => string;
  readonly #atEnd: () => void;

  constructor(describe: () => string, atEnd: () => void) {
    this.#describe = describe;
    this.#atEnd = atEnd;
  }

  onMessageHead(): void {
    this.events.push(`head ${this.#describe()}`);
  }

  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('latin1', start, end);
    if (text === '') throw new Error('an empty piece of body was reported');
    const last = this.events.length - 1;
    if (this.events[last]?.startsWith('body ') === true) this.events[last] += text;
    else this.events.push(`body ${text}`);
  }

  onMessageEnd(trailers: Parameters<MessageSink['onMessageEnd']>[0]): void {
    this.events.push(trailers === undefined ? 'end' : `end with ${trailers.serialize()}`);
    this.#atEnd();
  }
}

function framingText(framing: number): string {
  return framing >= 0 ? String(framing) : framing === -1 ? 'chunked' : 'until close';
}

function describeRequest(): string {
  const { header, framing, keepAlive, expectContinue, target } = requestHead;
  const flags = [keepAlive ? 'keep' : 'close', ...(expectContinue ? ['expect'] : []), ...(target ? [target.form] : [])];
  const line = `${header.method} ${header.target} ${header.version}`;
  return `${line} [${framingText(framing)}; ${flags.join('; ')}]\n${header.headers.serialize()}`;
}

function describeResponse(): string {
  const { header, framing, keepAlive } = responseHead;
  const line = `${header.status} ${header.reason} ${header.version}`;
  return `${line} [${framingText(framing)}; ${keepAlive ? 'keep' : 'close'}]\n${header.headers.serialize()}`;
}

const POISON = 'GET /poison HTTP/1.1\r\n';

function inPoison(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(POISON), bytes, Buffer.from(POISON)]);
}

/** What makes a decoder from a sink. */
type Make = (sink: MessageSink, limits: Http1Limits) => MessageDecoder;

function record(chunks: Iterable<Uint8Array>, recorder: Recorder, make: Make, options: TranscriptOptions): Transcript {
  const decoder = make(recorder, { ...DEFAULT_HTTP1_LIMITS, ...options.limits });
  recorder.decoder = decoder;
  let consumed = 0;
  let rest = Buffer.alloc(0);
  let error: string | undefined;
  try {
    for (const chunk of chunks) {
      const input = inPoison(Buffer.concat([rest, chunk]));
      const end = input.length - POISON.length;
      const next = decoder.feed(input, POISON.length, end);
      rest = Buffer.from(input.subarray(next, end));
      consumed += next - POISON.length;
      input.fill(0xdb);
    }
    if (options.closed === true) decoder.finish();
  } catch (caught) {
    if (!(caught instanceof CirqueError)) throw caught;
    error = caught.status === undefined ? caught.type : `${caught.type} ${caught.status}`;
  }
  return { events: recorder.events, error, state: decoder.state, consumed };
}

/** What a server's decoder says to the chunks. */
export function requestTranscript(chunks: Iterable<Uint8Array>, options: TranscriptOptions = {}): Transcript {
  const recorder: Recorder = new Recorder(describeRequest, () => {
    if (options.pipelined === true) recorder.decoder?.next();
  });
  const make: Make = (sink, limits) => new RequestDecoder(sink, new RequestRules(limits, options.lenient ?? {}));
  return record(chunks, recorder, make, options);
}

/** What a client's decoder says to the chunks. */
export function responseTranscript(chunks: Iterable<Uint8Array>, options: TranscriptOptions = {}): Transcript {
  const methods = [...(options.methods ?? ['GET'])];
  let decoder: ResponseDecoder | undefined;
  const recorder: Recorder = new Recorder(describeResponse, () => {
    if (options.pipelined !== true || decoder === undefined) return;
    // An interim response is followed by another one to the same request.
    if (!responseHead.header.informational) decoder.requestMethod = methods.shift() ?? decoder.requestMethod;
    decoder.next();
  });
  const make: Make = (sink, limits) => {
    decoder = new ResponseDecoder(sink, new ResponseRules(limits));
    decoder.requestMethod = methods.shift() ?? 'GET';
    return decoder;
  };
  return record(chunks, recorder, make, options);
}
