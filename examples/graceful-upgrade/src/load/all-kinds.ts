// Everything at once: starts the load of every kind, and adds up what has become of it.
import { datagrams } from './datagram-load.ts';
import { keptConnections, newConnections, unixConnections } from './http-load.ts';
import { Http2Counts, http2Streams } from './http2-load.ts';
import type { Pace } from './lanes.ts';
import { Tally } from './tally.ts';
import type { Target } from './target.ts';
import { Resumptions, tlsConnections } from './tls-load.ts';
import { lastingWebSockets, newWebSockets } from './websocket-load.ts';

/** Kept connections that wait this long between two requests. */
const RARE_MS = 700;

/** What answers after two seconds. */
const SLOW = '/slow';

export class AllKinds {
  readonly resumptions: Resumptions = new Resumptions();
  readonly http2: Http2Counts = new Http2Counts();
  readonly tallies: Tally[] = [];
  readonly #over = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #speed: number;

  /** @param perSecond how many requests there are to be, about. */
  constructor(target: Target, perSecond: number) {
    this.#speed = perSecond / 1_000;
    this.#run('HTTP, new connections', 8, 28, (tally, pace) => newConnections(target, tally, pace));
    this.#run('HTTP, kept connections', 4, 20, (tally, pace) => keptConnections(target, tally, pace));
    this.#run('HTTP, kept and rarely used', 14, RARE_MS, (tally, pace) => keptConnections(target, tally, pace));
    this.#run('HTTP, unix socket', 2, 20, (tally, pace) => unixConnections(target, tally, pace));
    this.#run('HTTP, 2 seconds each', 10, 0, (tally, pace) => newConnections(target, tally, pace, SLOW));
    this.#run('TLS, new connections', 4, 32, (tally, pace) => tlsConnections(target, tally, this.resumptions, pace));
    this.#run('HTTP/2', 6, 25, (tally, pace) => http2Streams(target, tally, this.http2, pace));
    this.#run('HTTP/2, 2 seconds each', 10, 0, (tally, pace) => http2Streams(target, tally, this.http2, pace, SLOW));
    this.#run('WebSockets, new', 2, 80, (tally, pace) => newWebSockets(target, tally, pace));
    this.#run('messages of 20 WebSockets', 20, 100, (tally, pace) => lastingWebSockets(target, tally, pace), false);
    this.#run('datagrams', 2, 20, (tally, pace) => datagrams(target, tally, pace), false);
  }

  /** Requests that have ended: without messages and datagrams. */
  get requests(): number {
    return this.tallies.reduce((sum, { isRequests, done }) => sum + (isRequests ? done : 0), 0);
  }

  get failed(): number {
    return this.tallies.reduce((sum, { failed }) => sum + failed, 0);
  }

  /** How many each process has served. */
  get servedBy(): ReadonlyMap<number, number> {
    const all = new Map<number, number>();
    for (const { servedBy } of this.tallies) {
      for (const [process, count] of servedBy) all.set(process, (all.get(process) ?? 0) + count);
    }
    return all;
  }

  /** Asks nothing more, and waits for what has been asked. */
  async end(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }

  #run(
    kind: string,
    lanes: number,
    everyMs: number,
    start: (tally: Tally, pace: Pace) => Promise<void>,
    isRequests = true,
  ): void {
    const tally = new Tally(kind, isRequests);
    this.tallies.push(tally);
    this.#running.push(start(tally, { lanes, everyMs: everyMs / this.#speed, over: this.#over.signal }));
  }
}
