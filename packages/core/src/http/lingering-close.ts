/**
 * Closes a connection behind its last response: FIN, then reading on for a while.
 *
 * Closing with unread bytes would reset the connection under the response (RFC 9112 section 9.6). From here on it is the
 * handler of the stream; the session is done with it.
 */
import type { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type Stream, type StreamHandler, WriteProgress } from '@cirque/transport';

/** Time and bytes given to a client that still sends, so that it can read the answer. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 1_048_576;

/** What is known of the connection. */
export interface LingerFacts {
  /** The client has sent its FIN. */
  readonly clientHalfClosed: boolean;
  /** How long the client may take nothing of the response that is on its way. */
  readonly writeTimeoutMs: number;
  readonly wheel: TimerWheel | undefined;
}

/** See the file's head. */
export class LingeringClose implements StreamHandler {
  readonly #stream: Stream;
  readonly #facts: LingerFacts;
  readonly #timer: Timer;
  readonly #progress = new WriteProgress();
  #bytes = 0;

  constructor(stream: Stream, facts: LingerFacts) {
    this.#stream = stream;
    this.#facts = facts;
    this.#timer = new Timer(() => this.#expired(), facts.wheel);
  }

  /** Takes the stream over. */
  start(): void {
    this.#timer.set(LINGER_MS);
    if (this.#facts.clientHalfClosed) this.#endAndDestroy();
    else this.#stream.end();
    this.#stream.start(this);
  }

  onRead(_buffer: Buffer, length: number): void {
    this.#bytes += length;
    if (this.#bytes > LINGER_BYTES) this.#stream.destroy();
  }

  onReadEnd(): void {
    if (this.#stream.writePending) this.#endAndDestroy();
    else this.#stream.destroy();
  }

  onDrain(): void {}

  onClose(_error: CirqueError | undefined): void {
    this.#timer.close();
  }

  /** The client sends nothing more: once it was sent everything, nobody has anything to say. */
  #endAndDestroy(): void {
    this.#stream.duplex.end(() => this.#stream.destroy());
  }

  /** The response may still be on its way to a slow client: wait as for any write, without progress no longer. */
  #expired(): void {
    const { writeTimeoutMs } = this.#facts;
    const verdict = this.#progress.judge(this.#stream);
    if (verdict === 'done' || (verdict === 'stalled' && writeTimeoutMs > 0)) this.#stream.destroy();
    else this.#timer.set(writeTimeoutMs > 0 ? writeTimeoutMs : LINGER_MS);
  }
}
