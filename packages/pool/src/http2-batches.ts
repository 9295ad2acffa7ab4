/**
 * Puts together what belongs together on an HTTP/2 connection: what one turn of the event loop writes goes out at once, and
 * what one read brings is followed by one report to each session that it concerns.
 */
import type { Http2Connection } from '@cirque/http2';
import type { Http2ClientSession } from './http2-client-session.ts';

/** One per connection. */
export class Http2Batches {
  readonly #engine: Http2Connection;
  /** Sessions that have written since the last flush. */
  #writers: Http2ClientSession[] = [];
  /** Sessions that were told something by the current read. */
  #readers: Http2ClientSession[] = [];
  #reading = false;
  #flushDue = false;
  #closed = false;

  constructor(engine: Http2Connection) {
    this.#engine = engine;
  }

  /** Flushes behind this turn, or behind the current read; the session, if given, hears of it. */
  flushSoon(session: Http2ClientSession | undefined): void {
    if (session !== undefined && this.#writers.at(-1) !== session) this.#writers.push(session);
    if (this.#flushDue || this.#closed) return;
    this.#flushDue = true;
    if (!this.#reading) setImmediate(flushIfDue, this);
  }

  /** Bytes are being read: until {@link endRead} nothing is flushed. */
  beginRead(): void {
    this.#reading = true;
  }

  /** The session was told something. */
  touched(session: Http2ClientSession): void {
    if (!this.#reading || session.touched) return;
    session.touched = true;
    this.#readers.push(session);
  }

  /** All bytes were read. */
  endRead(): void {
    this.#reading = false;
    if (this.#readers.length > 0) {
      const readers = this.#readers;
      this.#readers = [];
      for (const session of readers) session.delivered();
    }
    this.flush();
  }

  /** Sends everything now. */
  flush(): void {
    this.#flushDue = false;
    if (this.#closed) return;
    const writers = this.#writers;
    this.#engine.flush();
    if (writers.length === 0) return;
    this.#writers = [];
    for (const session of writers) session.flushed();
  }

  /** Nothing is sent or told any more. */
  close(): void {
    this.#closed = true;
    this.#writers = [];
    this.#readers = [];
  }

  /** @internal */
  get flushDue(): boolean {
    return this.#flushDue;
  }
}

function flushIfDue(batches: Http2Batches): void {
  if (batches.flushDue) batches.flush();
}
