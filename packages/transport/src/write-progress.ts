/**
 * Tells whether the other side still takes what is written to it, for every deadline of writes.
 *
 * A deadline for a write as a whole would cut large writes to slow but honest readers; so either some progress in each
 * interval is enough, or a least rate is asked for (Pingora's min_send_rate).
 */
import type { Stream } from './stream.ts';

/** No backlog was noted. */
const UNKNOWN = -1;

/** What has become of a backlog. */
export type WriteVerdict = 'done' | 'progress' | 'stalled';

/** Watches the writes of one stream: {@link begin}, and when the time is over {@link judge}. */
export class WriteProgress {
  #mark = UNKNOWN;
  /** With a least rate: how many bytes must have been taken, counted from the beginning of the stream. */
  #goal = 0;

  /**
   * Notes what is waiting; answers after how many milliseconds to judge, 0 for never.
   *
   * @param minBytesPerSecond 0: any progress within `timeoutMs` is enough. Else all that waits now must be taken within
   * the time that it needs at this rate, one second at least, whatever `timeoutMs` says.
   */
  begin(stream: Stream, timeoutMs: number, minBytesPerSecond: number): number {
    this.#mark = stream.writeBacklog;
    if (minBytesPerSecond === 0) {
      this.#goal = 0;
      return timeoutMs;
    }
    const pending = stream.duplex.writableLength;
    this.#goal = bytesTaken(stream) + pending;
    return Math.ceil((Math.max(pending, minBytesPerSecond) * 1_000) / minBytesPerSecond);
  }

  /** Compares with what was noted, and notes what waits now. */
  judge(stream: Stream): WriteVerdict {
    const backlog = stream.writeBacklog;
    if (backlog === 0) return 'done';
    const stalled = this.#goal > 0 ? bytesTaken(stream) < this.#goal : backlog === this.#mark;
    this.#mark = backlog;
    return stalled ? 'stalled' : 'progress';
  }

  /** Forgets what was noted: the next judgement finds progress. */
  forget(): void {
    this.#mark = UNKNOWN;
    this.#goal = 0;
  }
}

/** Streams that do not count their bytes have taken nothing as long as something waits. */
function bytesTaken({ duplex }: Stream): number {
  const { bytesWritten = 0 } = duplex as { bytesWritten?: number };
  return bytesWritten - duplex.writableLength;
}
