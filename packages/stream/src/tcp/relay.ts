/**
 * Copies between a client and an upstream until both have ended: an end goes on as an end, a reset as a reset, and silence
 * has a limit.
 */
import { CirqueError, fromNodeError } from '@cirque/error';
import { type Clock, Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import type { CloseReason } from '../stream-session.ts';
import { RelayEnd } from './relay-end.ts';

/** Times and surroundings of a relay. */
export interface RelaySettings {
  /** Silence of both sides, in milliseconds; 0: no limit. */
  readonly idleTimeoutMs: number;
  /** The same when one side has ended. */
  readonly halfCloseTimeoutMs: number;
  readonly clock: Clock;
  readonly wheel: TimerWheel | undefined;
}

/** Who is told of a relay. */
export interface RelayOwner {
  /** The first byte of the upstream is there. */
  onFirstByte(): void;
  /** Both sides are closed. Last call. */
  onRelayOver(): void;
}

/** How long an upstream may be read after it has refused what was written, as its answer may lie in the socket. */
const EARLY_ANSWER_MS = 200;

/** How long a side may be silent that is only left to take what was written to it. */
const LINGER_MS = 5_000;

/** See the file's head. */
export class Relay {
  readonly client: RelayEnd;
  readonly upstream: RelayEnd;
  readonly clock: Clock;
  readonly wheel: TimerWheel | undefined;
  /** Who ended first, or why it was cut. */
  reason: CloseReason | undefined;
  error: CirqueError | undefined;
  readonly #settings: RelaySettings;
  readonly #owner: RelayOwner;
  readonly #timer: Timer;
  /** The limit of silence now. */
  #quietMs: number;
  /** Bytes that waited when silence was judged last. */
  #backlog = 0;
  /** The reason is one that no other follows: it was cut, or one side broke. */
  #failed = false;
  /** The end that outlives the other one, to take what was written to it. */
  #lingering: RelayEnd | undefined;

  constructor(client: Stream, upstream: Stream, settings: RelaySettings, owner: RelayOwner) {
    this.clock = settings.clock;
    this.wheel = settings.wheel;
    this.#settings = settings;
    this.#owner = owner;
    this.#quietMs = settings.idleTimeoutMs;
    this.#timer = new Timer(() => this.#judge(), settings.wheel);
    this.client = new RelayEnd('client', client, this);
    this.upstream = new RelayEnd('upstream', upstream, this);
    RelayEnd.join(this.client, this.upstream);
  }

  /** @param first what the client has said already. */
  start(first: Buffer | undefined): void {
    const { client, upstream } = this;
    if (first !== undefined) {
      client.read = first.length;
      upstream.given = first.length;
      upstream.stream.write(first);
    }
    this.active();
    client.stream.start(client);
    upstream.stream.start(upstream);
  }

  /** Something passed. Moving an armed timer back stores a number and nothing else. */
  active(): void {
    if (this.#quietMs > 0) this.#timer.set(this.#quietMs);
  }

  /** Ends both sides by resets; of several reasons the first one counts. */
  cut(reason: CloseReason, error?: CirqueError): void {
    if (!this.#failed) {
      this.#failed = true;
      this.reason = reason;
      this.error = error;
    }
    this.client.stream.reset();
    this.upstream.stream.reset();
  }

  /** @internal Of an end: the upstream has sent its first byte. */
  firstByte(end: RelayEnd): void {
    if (end === this.upstream) this.#owner.onFirstByte();
  }

  /** @internal Of an end: it has sent everything. */
  ended(end: RelayEnd): void {
    const { other } = end;
    this.reason ??= end.side;
    if (other.ended && other.endsByClosing && end.endsByClosing) {
      other.stream.destroy();
      end.stream.destroy();
      return;
    }
    other.stream.end();
    if (this.#lingering !== undefined) return;
    this.#quietMs = this.#settings.halfCloseTimeoutMs;
    if (this.#quietMs === 0) this.#timer.clear();
    this.active();
  }

  /** @internal Of an end: writing to it has failed. True: it is read on, see `keepReadable` of pool. */
  cannotWrite(end: RelayEnd, cause: Error): boolean {
    if (end.ended || this.#lingering !== undefined) return false;
    this.#fail(end, fromNodeError(cause, 'write', end.stream.side));
    end.other.discard();
    this.#quietMs = EARLY_ANSWER_MS;
    this.#lingering = end;
    this.active();
    return true;
  }

  /** @internal Of an end: it is closed. */
  closed(end: RelayEnd, error: CirqueError | undefined): void {
    const { other } = end;
    if (error !== undefined) this.#fail(end, error);
    else if (!end.ended) this.reason ??= 'shutdown';
    if (other.closed) {
      this.#timer.close();
      this.#owner.onRelayOver();
      return;
    }
    if (this.#lingering === other) return;
    // Both have said everything: the other one closes by itself as soon as it has taken everything.
    if (error === undefined && end.ended && other.ended) return;
    // All was said before it broke: the other side gets what it is owed.
    if (this.#lingering === end || (end.ended && other.stream.writePending)) this.#linger(other);
    else other.stream.reset();
  }

  #fail(end: RelayEnd, error: CirqueError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.error = error;
    this.reason = end.side;
  }

  /** Lets an end take what was written to it, then closes it. */
  #linger(end: RelayEnd): void {
    this.#lingering = end;
    end.discard();
    end.stream.end();
    this.#quietMs = LINGER_MS;
    this.active();
  }

  #judge(): void {
    const { client, upstream } = this;
    if (this.#isMoving()) {
      this.active();
    } else if (this.#lingering !== undefined) {
      this.#lingering.stream.destroy();
    } else {
      const halfOpen = client.ended || upstream.ended;
      const context = `nothing passed for ${this.#quietMs} ms${halfOpen ? ', and one side has ended' : ''}`;
      this.cut('idle', new CirqueError('ReadTimedout', context));
    }
  }

  /** One side is held back by its rate, or takes what was written to it, however slowly. */
  #isMoving(): boolean {
    const { client, upstream } = this;
    if (client.paced || upstream.paced) return true;
    const before = this.#backlog;
    this.#backlog = client.stream.writeBacklog + upstream.stream.writeBacklog;
    return this.#backlog > 0 && this.#backlog !== before;
  }
}
