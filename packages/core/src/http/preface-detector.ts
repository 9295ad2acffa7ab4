/**
 * Tells HTTP/2 with prior knowledge from HTTP/1 on a plaintext connection (RFC 9113 sections 3.3 and 3.4).
 *
 * Reads only until the first byte that differs from the client preface, or until its end, and hands over every byte
 * that came. Waiting for 24 bytes, as Pingora does, would stall a client that sends fewer and waits for an answer.
 */
import { PREFACE } from '@cirque/http2';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream, StreamHandler } from '@cirque/transport';
import { drainLingerMs } from './drain-linger.ts';

/** What a connection turned out to speak. */
export type DetectedVersion = '1.1' | '2';

/** Takes the stream over; `begin` installs the handler and `first` has what was read, `[0, length)`. */
export type DetectedVersionHandler = (version: DetectedVersion, first: Buffer, length: number) => void;

/** See the file's head. One per connection, gone once it is decided. */
export class PrefaceDetector implements StreamHandler {
  readonly #stream: Stream;
  readonly #decided: DetectedVersionHandler;
  readonly #timer: Timer;
  /** Bytes of the preface that came so far. */
  #matched = 0;
  /** The server stops: whoever takes over is told. */
  shuttingDown = false;

  constructor(stream: Stream, decided: DetectedVersionHandler, wheel: TimerWheel | undefined) {
    this.#stream = stream;
    this.#decided = decided;
    this.#timer = new Timer(() => this.#stream.destroy(), wheel);
  }

  /** Begins to read; a connection that is undecided after `timeoutMs` (0: never) is closed. */
  start(timeoutMs: number): void {
    if (timeoutMs > 0) this.#timer.set(timeoutMs);
    this.#stream.start(this);
  }

  /** The server stops: what begins in time is still served. */
  shutdown(): void {
    this.shuttingDown = true;
    this.#timer.set(drainLingerMs(0));
  }

  onRead(buffer: Buffer, length: number): void {
    const before = this.#matched;
    const matched = before + commonLength(buffer, length, before);
    if (matched === PREFACE.length) this.#decide('2', before, buffer, length);
    else if (matched < before + length) this.#decide('1.1', before, buffer, length);
    else this.#matched = matched;
  }

  onReadEnd(): void {
    this.#stream.destroy();
  }

  onDrain(): void {}

  onClose(): void {
    this.#timer.close();
  }

  #decide(version: DetectedVersion, before: number, buffer: Buffer, length: number): void {
    this.#timer.close();
    if (before === 0) {
      this.#decided(version, buffer, length);
      return;
    }
    // What came earlier was the beginning of the preface, so it need not have been kept.
    const first = Buffer.concat([PREFACE.subarray(0, before), buffer.subarray(0, length)]);
    this.#decided(version, first, first.length);
  }
}

/** How many bytes of `buffer[0, length)` go on with the preface from `from` on. */
function commonLength(buffer: Buffer, length: number, from: number): number {
  const most = Math.min(length, PREFACE.length - from);
  let at = 0;
  while (at < most && buffer[at] === PREFACE[from + at]) at += 1;
  return at;
}
