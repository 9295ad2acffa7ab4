// HTTP/2: many requests at once on one connection, which is left for a new one when the server says so (GOAWAY).
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { check } from './http-load.ts';
import { inLanes, type Pace } from './lanes.ts';
import type { Tally } from './tally.ts';
import { freshPath, type Target } from './target.ts';

/** What connections have been through. */
export class Http2Counts {
  connections = 0;
  /** Requests that the server has refused without looking at them, which is what GOAWAY may do: they were sent again. */
  refused = 0;
}

/** The lanes share one connection. */
export async function http2Streams(
  target: Target,
  tally: Tally,
  counts: Http2Counts,
  pace: Pace,
  prefix = '',
): Promise<void> {
  const client = new Http2Client(target, counts);
  await inLanes(pace, () => () => tally.count((signal) => client.ask(freshPath(prefix), signal)));
  client.close();
}

/** A request that the server has certainly not begun to answer. */
class Refused extends Error {}

class Http2Client {
  readonly #target: Target;
  readonly #counts: Http2Counts;
  #session: ClientHttp2Session | undefined;

  constructor(target: Target, counts: Http2Counts) {
    this.#target = target;
    this.#counts = counts;
  }

  async ask(path: string, signal: AbortSignal): Promise<number> {
    while (true) {
      try {
        return await answerTo(this.#usable().request({ ':path': path }, { signal }), path);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.#counts.refused += 1;
      }
    }
  }

  close(): void {
    this.#session?.close();
  }

  /** After a GOAWAY a session counts as closed; what runs on it goes on. */
  #usable(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { tls, ca } = this.#target;
    const session = connect(`https://127.0.0.1:${tls}`, { ca, servername: 'localhost' });
    session.on('error', () => {}); // its streams tell
    this.#counts.connections += 1;
    this.#session = session;
    return session;
  }
}

function answerTo(stream: ClientHttp2Stream, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let [status, process, body, ended] = [0, 0, '', false];
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
      process = Number(headers['x-process']);
    });
    stream.on('data', (part: string) => {
      body += part;
    });
    stream.on('end', () => {
      ended = true;
    });
    let failure: Error | undefined;
    stream.on('error', (error) => {
      failure = error;
    });
    // A stream whose connection dies may close without an error.
    stream.on('close', () => {
      if (wasRefused(stream, failure)) return reject(new Refused());
      if (failure !== undefined || !ended) return reject(failure ?? new Error(`closed with ${stream.rstCode}`));
      try {
        check(status, body, path);
        resolve(process);
      } catch (error) {
        reject(error);
      }
    });
  });
}

function wasRefused({ rstCode }: ClientHttp2Stream, failure: Error | undefined): boolean {
  const code = (failure as NodeJS.ErrnoException | undefined)?.code;
  return rstCode === constants.NGHTTP2_REFUSED_STREAM || code === 'ERR_HTTP2_GOAWAY_SESSION';
}
