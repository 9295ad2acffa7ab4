/**
 * Passes a body through user filters, piece by piece, synchronous or not, with exactly one end-of-stream call.
 *
 * While a filter is pending its source is paused, so nothing queues up here. Filters get buffers of their own.
 */
import type { TimerWheel } from '@cirque/timeout';
import { isThenable } from './hooks.ts';
import { PendingHook } from './pending-hook.ts';

/** A filter with its proxy, session and context bound. */
export interface BodyFilter {
  readonly name: string;
  /** It takes as long as it takes: its answers are not bounded in time. */
  readonly unbounded?: boolean;
  call(body: Buffer | undefined, endOfStream: boolean): unknown;
}

/** The two ends of a filtered body. */
export interface FilteredBody {
  /** Stops the source until `resumeSource`; nothing arrives in between. */
  pauseSource(): void;
  resumeSource(): void;
  /** False: the sink is full, and `resumeSource` is its business now. */
  write(body: Buffer): boolean;
  end(): void;
  /** A filter threw, rejected or answered something impossible. */
  fail(error: unknown): void;
}

/** See the file's head. One per body and attempt. */
export class BodyFilters {
  readonly #filters: readonly BodyFilter[];
  readonly #ends: FilteredBody;
  readonly #timeoutMs: number;
  readonly #wheel: TimerWheel | undefined;
  #pending: PendingHook | undefined;
  #stopped = false;
  /** The end has come while a filter still had a piece. */
  #endWaits = false;

  constructor(filters: readonly BodyFilter[], ends: FilteredBody, timeoutMs: number, wheel: TimerWheel | undefined) {
    this.#filters = filters;
    this.#ends = ends;
    this.#timeoutMs = timeoutMs;
    this.#wheel = wheel;
  }

  /** A filter was asked and has not answered yet; the source is paused. */
  get pending(): boolean {
    return this.#pending !== undefined;
  }

  /** A piece, copied for the filters. */
  push(buffer: Buffer, start: number, end: number): void {
    this.#run(0, Buffer.from(buffer.subarray(start, end)), false, false);
  }

  /** The end of the body. It waits for a filter that still has a piece: replayed bytes do not heed a pause. */
  finish(): void {
    if (this.#pending !== undefined) this.#endWaits = true;
    else this.#run(0, undefined, true, false);
  }

  /** Ignores pending answers; nothing more comes out. */
  stop(): void {
    this.#stopped = true;
    this.#pending?.cancel();
  }

  /** Calls the filters from one on. `sourcePaused`: one before it was awaited, so the source has to be resumed. */
  #run(from: number, piece: Buffer | undefined, endOfStream: boolean, sourcePaused: boolean): void {
    let body = piece;
    try {
      for (let at = from; at < this.#filters.length; at++) {
        const filter = this.#filters[at] as BodyFilter;
        const answer = filter.call(body, endOfStream);
        if (isThenable(answer)) {
          this.#wait(filter, answer, at, body, endOfStream);
          return;
        }
        if (this.#stopped) return;
        body = replaced(filter, body, answer);
      }
      this.#deliver(body, endOfStream, sourcePaused);
    } catch (error) {
      this.#fail(error);
    }
  }

  #wait(
    filter: BodyFilter,
    answer: PromiseLike<unknown>,
    at: number,
    body: Buffer | undefined,
    endOfStream: boolean,
  ): void {
    this.#ends.pauseSource();
    const goOn = (value: unknown): void => {
      this.#pending = undefined;
      this.#run(at + 1, replaced(filter, body, value), endOfStream, true);
    };
    const timeoutMs = filter.unbounded === true ? 0 : this.#timeoutMs;
    this.#pending = new PendingHook(filter.name, answer, timeoutMs, this.#wheel, goOn, (error) => this.#fail(error));
  }

  #deliver(body: Buffer | undefined, endOfStream: boolean, sourcePaused: boolean): void {
    if (this.#stopped) return;
    const room = body === undefined || body.length === 0 || this.#ends.write(body);
    if (endOfStream) this.#ends.end();
    else if (this.#endWaits) this.#run(0, undefined, true, false);
    else if (!room) this.#ends.pauseSource();
    else if (sourcePaused) this.#ends.resumeSource();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#ends.fail(error);
  }
}

/** What a filter made of a piece. */
function replaced(filter: BodyFilter, body: Buffer | undefined, answer: unknown): Buffer | undefined {
  if (answer === undefined) return body;
  if (Buffer.isBuffer(answer)) return answer;
  if (answer instanceof Uint8Array) return Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  throw new TypeError(`${filter.name} answered ${typeof answer}: expected bytes (Buffer or Uint8Array) or undefined`);
}
