/**
 * A TCP proxy between streams in memory, with time that a test moves by hand.
 */
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import type { Opening, OpeningWaiter, Peer } from '@cirque/pool';
import { duplexPair } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import type { StreamOptions } from '../src/stream-options.ts';
import type { StreamPhases } from '../src/stream-proxy.ts';
import { TcpApp } from '../src/tcp/tcp-app.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

/** The far end of a connection: what arrives there, and how it ends. */
export class FarEnd {
  readonly duplex: Duplex;
  text = '';
  end: 'open' | 'end' | 'reset' | 'closed' = 'open';

  constructor(duplex: Duplex, reads = true) {
    this.duplex = duplex;
    if (reads) this.read();
    duplex.on('end', () => {
      this.end = 'end';
    });
    duplex.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') this.end = 'reset';
    });
    duplex.on('close', () => {
      if (this.end === 'open') this.end = 'closed';
    });
  }

  read(): void {
    this.duplex.on('data', (chunk) => {
      this.text += String(chunk);
    });
  }

  write(text: string): void {
    this.duplex.write(text);
  }

  /** As RST. */
  reset(): void {
    this.duplex.destroy(connectionReset());
  }
}

function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

/** Both ends of a connection; ours can be reset as a socket can. */
function connection(): [ours: Duplex, theirs: Duplex] {
  const [ours, theirs] = duplexPair();
  Object.assign(ours, {
    resetAndDestroy() {
      theirs.destroy(connectionReset());
      return ours.destroy();
    },
  });
  return [ours, theirs];
}

/** What connecting to a peer leads to: an upstream, an error, or nothing for now. */
export type Connects = (peer: Peer, waiter: OpeningWaiter) => 'opened' | CirqueError | 'pending';

/** See the file's head. */
export class MemorySite<Ctx> {
  readonly app: TcpApp<Ctx>;
  readonly logs: LogLine[] = [];
  readonly upstreams: FarEnd[] = [];
  /** The proxy's ends of the connections to them. */
  readonly ourUpstreams: Stream[] = [];
  /** Openings that were given up. */
  cancelled = 0;
  /** What the next connections lead to. */
  connects: Connects = () => 'opened';
  /** Whether upstreams read what comes. */
  upstreamsRead = true;
  readonly #wheel: TimerWheel;
  readonly #ours: Duplex[] = [];
  #now = 0;

  constructor(phases: StreamPhases<Ctx>, options: StreamOptions = {}) {
    const clock = { now: () => this.#now };
    this.#wheel = new TimerWheel({ clock, tickMs: 1 });
    const connector = { open: (peer: Peer, waiter: OpeningWaiter) => this.#open(peer, waiter) };
    const logger = recordingLogger(this.logs);
    this.app = new TcpApp(phases, options, { connector, clock, wheel: this.#wheel, logger });
  }

  /** A new client, whose connection the proxy has got. */
  connect(reads = true): FarEnd & { readonly ours: Stream } {
    const [ours, theirs] = connection();
    this.#ours.push(ours);
    const stream = new Stream(ours, 'Downstream');
    const client = Object.assign(new FarEnd(theirs, reads), { ours: stream });
    this.app.processNew(stream);
    return client;
  }

  /** Everything under way comes to rest. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time, in steps of 10 ms. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    for (const end = this.#now + ms; this.#now < end; ) {
      this.#now = Math.min(end, this.#now + 10);
      this.#wheel.advance();
      if (this.#now % 100 === 0) await this.settle();
    }
    await this.settle();
  }

  /** Timers that are armed. */
  get timers(): number {
    return this.#wheel.size;
  }

  close(): void {
    for (const duplex of this.#ours) duplex.destroy();
    for (const { duplex } of this.upstreams) duplex.destroy();
  }

  #open(peer: Peer, waiter: OpeningWaiter): Opening {
    let open = true;
    const outcome = this.connects(peer, waiter);
    if (outcome !== 'pending') {
      setImmediate(() => {
        if (!open) return;
        open = false;
        if (CirqueError.is(outcome)) waiter.onOpenFailed(outcome);
        else waiter.onOpened(this.upstream());
      });
    }
    return {
      cancel: () => {
        if (open) this.cancelled += 1;
        open = false;
      },
    };
  }

  /** A new connection to an upstream, as a connector gives it. */
  upstream(): Stream {
    const [ours, theirs] = connection();
    this.#ours.push(ours);
    this.upstreams.push(new FarEnd(theirs, this.upstreamsRead));
    const stream = new Stream(ours, 'Upstream');
    this.ourUpstreams.push(stream);
    return stream;
  }
}
