/**
 * All that is known of the connections of one service on this thread: which are open, how many there may be, what became of
 * the others.
 */
import type { Stream } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import type { StatsTree } from '../service/stats-tree.ts';
import type { ThreadPlace } from '../service/thread-place.ts';
import { ConnectionCounters, type RefusalReason } from './connection-counters.ts';
import { ConnectionEvents } from './connection-events.ts';
import { type ConnectionLimitOptions, resolveConnectionLimits } from './connection-limit-options.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { OpenStreams, type OpenStreamsWatcher } from './open-streams.ts';
import { PendingStreams } from './pending-streams.ts';

/** Clients over a limit that are answered at the same time. */
const MAX_ANSWERS = 100;

/** See the file's head. */
export class ServiceConnections implements OpenStreamsWatcher {
  readonly open: OpenStreams;
  readonly counters: ConnectionCounters = new ConnectionCounters();
  readonly limits: ConnectionLimits;
  readonly events: ConnectionEvents;
  readonly pending: PendingStreams = new PendingStreams();
  readonly #answered: Set<Stream> = new Set();

  /** @throws TypeError or RangeError for wrong limits. */
  constructor(service: string, app: ServerApp, options: ConnectionLimitOptions = {}) {
    this.limits = new ConnectionLimits(resolveConnectionLimits(options, app.overLimit !== undefined));
    this.events = new ConnectionEvents(service);
    this.open = new OpenStreams(this);
  }

  /** For `Service.sharedMemory`. */
  sharedMemory(threads: number): Readonly<Record<string, number>> {
    return this.limits.sharedMemory(threads);
  }

  /** Counts together with the other threads of the service. Before it listens. */
  join(place: ThreadPlace): void {
    this.limits.join(place);
  }

  /** The part `connections` of the service's counters. */
  stats(): StatsTree {
    return this.counters.stats(this.open.size);
  }

  /** The open connections that the application serves. */
  served(): Stream[] {
    return this.open.all().filter((stream) => !this.pending.has(stream) && !this.#answered.has(stream));
  }

  /** Counts and tells a refusal; who calls closes the stream. */
  refused(stream: Stream, reason: RefusalReason): void {
    this.counters.refused[reason] += 1;
    this.events.refused(stream, reason);
  }

  /**
   * Counts and tells that an open connection is over a limit. True: the application may say so to the client; false: it is
   * just closed.
   *
   * @param mayAnswer nothing encrypted is spoken on it.
   */
  turnAway(stream: Stream, reason: RefusalReason, mayAnswer: boolean): boolean {
    this.refused(stream, reason);
    if (!mayAnswer || !this.limits.options.answers || this.#answered.size >= MAX_ANSWERS) return false;
    this.#answered.add(stream);
    return true;
  }

  /** @internal of OpenStreamsWatcher */
  moved(stream: Stream, next: Stream): void {
    this.limits.moved(stream, next);
  }

  /** @internal of OpenStreamsWatcher */
  closed(stream: Stream): void {
    this.limits.closed(stream);
    this.events.closed(stream);
    if (this.#answered.size > 0) this.#answered.delete(stream);
  }
}
