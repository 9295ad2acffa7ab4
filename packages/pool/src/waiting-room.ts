/**
 * Requests that wait for places on HTTP/2 connections of one key, and what is under way for them.
 */
import type { Http2ClientConnection } from './http2-client-connection.ts';
import type { SessionWaiter } from './session-waiter.ts';

/** A connection that is being opened. */
export interface Opening {
  readonly controller: AbortController;
  /** It waits for a slot of a capped peer, so that it is not sure when it begins. */
  blocked: boolean;
}

/** See the file's head. */
export class WaitingRoom {
  /** In the order of their arrival. */
  readonly waiters: SessionWaiter[] = [];
  readonly openings: Set<Opening> = new Set();
  /** Connections that have not told their settings: they may have places for more. */
  readonly unready: Set<Http2ClientConnection> = new Set();

  /** Nobody and nothing is here. */
  get empty(): boolean {
    return this.waiters.length === 0 && this.openings.size === 0 && this.unready.size === 0;
  }

  get blocked(): boolean {
    for (const opening of this.openings) if (opening.blocked) return true;
    return false;
  }

  /** Places that are to be expected of what is under way, when each connection has so many. */
  expectedPlaces(perConnection: number): number {
    let places = 0;
    for (const opening of this.openings) if (!opening.blocked) places += perConnection;
    for (const connection of this.unready) places += Math.max(0, perConnection - connection.sessions);
    return places;
  }

  remove(waiter: SessionWaiter): void {
    const at = this.waiters.indexOf(waiter);
    if (at >= 0) this.waiters.splice(at, 1);
  }

  /** Stops openings that nobody waits for: all, or those that have not begun. */
  abandon(which: 'all' | 'blocked'): void {
    for (const opening of this.openings) {
      if (which === 'blocked' && !opening.blocked) continue;
      this.openings.delete(opening);
      opening.controller.abort();
    }
  }
}
