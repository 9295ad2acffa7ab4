/**
 * One request that waits for a place on an HTTP/2 connection.
 */
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { formatAddress } from '@cirque/transport';
import type { ClientSession } from './client-session.ts';
import type { Peer } from './peer.ts';
import type { SessionRequest } from './session-request.ts';

/** Waits until it is given something, or leaves: for its signal, or after the peer's `totalConnectionTimeoutMs`. */
export class SessionWaiter {
  readonly peer: Peer;
  readonly request: SessionRequest;
  readonly promise: Promise<ClientSession>;
  readonly #timer: Timer | undefined;
  readonly #left: (waiter: SessionWaiter) => void;
  #resolve!: (session: ClientSession | Promise<ClientSession>) => void;
  #reject!: (error: CirqueError) => void;

  /** @param left called when it leaves by itself. */
  constructor(peer: Peer, request: SessionRequest, left: (waiter: SessionWaiter) => void, wheel?: TimerWheel) {
    this.peer = peer;
    this.request = request;
    this.#left = left;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { totalConnectionTimeoutMs } = peer.options;
    if (totalConnectionTimeoutMs > 0) {
      this.#timer = new Timer(() => this.#leave('ConnectTimedout', 'connecting to', ', all in all'), wheel);
      this.#timer.set(totalConnectionTimeoutMs);
    }
    request.signal?.addEventListener('abort', this.#onAbort);
  }

  give(session: ClientSession | Promise<ClientSession>): void {
    this.#settle();
    this.#resolve(session);
  }

  refuse(error: CirqueError): void {
    this.#settle();
    this.#reject(error);
  }

  readonly #onAbort = (): void => this.#leave('ConnectError', 'waiting for', ' was cancelled');

  #leave(type: 'ConnectTimedout' | 'ConnectError', before: string, after: string): void {
    this.refuse(CirqueError.upstream(type, `${before} ${formatAddress(this.peer.address)}${after}`));
    this.#left(this);
  }

  #settle(): void {
    this.#timer?.close();
    this.request.signal?.removeEventListener('abort', this.#onAbort);
  }
}
