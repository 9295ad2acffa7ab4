/**
 * Sends a response that a phase has written itself through the downstream modules, in order, however long they take.
 */
import type { ServerSession } from '@cirque/core';
import type { ResponseHeader } from '@cirque/http';
import type { TimerWheel } from '@cirque/timeout';
import { type BodyFilter, BodyFilters } from './body-filters.ts';
import type { ModuleChain } from './http-modules.ts';
import { addBodyFilters, filterResponseHeader } from './module-filters.ts';

/** What the writer needs of its exchange. */
export interface WriterOwner {
  readonly downstream: ServerSession;
  readonly hookTimeoutMs: number;
  readonly wheel: TimerWheel | undefined;
  /** The modules have room again, after {@link FilteredWriter.write} had answered false. */
  writerDrained(): void;
  /** A module has failed. */
  writerFailed(error: unknown): void;
}

/** See the file's head. One per response. */
export class FilteredWriter {
  readonly #owner: WriterOwner;
  readonly #filters: BodyFilters | undefined;
  readonly #waiting: Buffer[] = [];
  #paused = false;
  #endAsked = false;
  #endWaits = false;
  #ended = false;
  #whenEnded: (() => void) | undefined;

  /** Writes the head. */
  constructor(owner: WriterOwner, chain: ModuleChain, header: ResponseHeader, end: boolean) {
    this.#owner = owner;
    filterResponseHeader(chain, header, end);
    const filters: BodyFilter[] = [];
    if (!end) addBodyFilters(filters, chain, 'responseBodyFilter');
    owner.downstream.writeHead(header, end);
    if (filters.length > 0) this.#filters = this.#filterWith(filters);
    if (end) this.end();
  }

  /** False: a module or the client is slow. */
  write(piece: Buffer): boolean {
    if (this.#filters === undefined) return this.#send(piece);
    // Whoever writes may use the bytes again at once, as without modules.
    if (this.#paused) this.#waiting.push(Buffer.from(piece));
    else this.#filters.push(piece, 0, piece.length);
    return !this.#paused;
  }

  /** A second call does nothing. */
  end(): void {
    if (this.#endAsked) return;
    this.#endAsked = true;
    if (this.#filters === undefined) this.#end();
    else if (this.#waiting.length > 0) this.#endWaits = true;
    else this.#filters.finish();
  }

  /** Calls back when the response was written to its end, at once if that is so already. */
  whenEnded(then: () => void): void {
    if (this.#ended) then();
    else this.#whenEnded = then;
  }

  /** The client has taken what was written. */
  drained(): void {
    if (this.#filters?.pending !== true) this.#goOn();
  }

  /** The request is over. */
  stop(): void {
    this.#filters?.stop();
    this.#waiting.length = 0;
  }

  #filterWith(filters: readonly BodyFilter[]): BodyFilters {
    const ends = {
      pauseSource: () => {
        this.#paused = true;
      },
      resumeSource: () => this.#goOn(),
      write: (body: Buffer) => this.#send(body),
      end: () => this.#end(),
      fail: (error: unknown) => this.#owner.writerFailed(error),
    };
    return new BodyFilters(filters, ends, this.#owner.hookTimeoutMs, this.#owner.wheel);
  }

  #goOn(): void {
    const filters = this.#filters;
    if (filters === undefined || !this.#paused) return;
    this.#paused = false;
    while (!this.#paused && this.#waiting.length > 0) {
      const piece = this.#waiting.shift() as Buffer;
      filters.push(piece, 0, piece.length);
    }
    if (this.#paused) return;
    if (this.#endWaits) {
      this.#endWaits = false;
      filters.finish();
    } else {
      this.#owner.writerDrained();
    }
  }

  #send(piece: Buffer): boolean {
    const room = this.#owner.downstream.writeBody(piece, 0, piece.length, undefined);
    this.#owner.downstream.flush();
    return room;
  }

  #end(): void {
    this.#ended = true;
    this.#owner.downstream.writeEnd();
    this.#whenEnded?.();
  }
}
