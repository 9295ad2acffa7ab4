/**
 * The last TLS session of each kind of connection, to be taken up by the next.
 *
 * A resumed session is as good as the full handshake that it goes back to: the certificate is not shown again. So it is
 * kept under the reuse key, which holds everything that verification depends on, and for a limited time, counted from
 * that handshake (RFC 8446 section 4.6.1 asks for a limit over all renewals).
 */
import type { SslDigest } from '@cirque/transport';
import { LruMap } from './lru-map.ts';

/** Sessions kept. One is 1 to 3 KB. */
const MAX_SESSIONS = 1_000;
/** How long after its full handshake a session may be used. */
const MAX_AGE_MS = 3_600_000;

/** A session, and the handshake that it goes back to. */
export interface KnownSession {
  readonly session: Buffer;
  /** Of that connection, or of one that resumed it; it knows the certificate. */
  readonly ssl: SslDigest;
  /** When the certificate was verified, milliseconds. */
  readonly verifiedAt: number;
}

/** See the file's head. */
export class TlsSessions {
  readonly #sessions: LruMap<KnownSession>;
  readonly #now: () => number;

  /** @param now milliseconds, for tests. */
  constructor(now: () => number = Date.now, max: number = MAX_SESSIONS) {
    this.#sessions = new LruMap(max);
    this.#now = now;
  }

  get(key: string): KnownSession | undefined {
    const known = this.#sessions.get(key);
    if (known === undefined || this.#now() - known.verifiedAt < MAX_AGE_MS) return known;
    this.#sessions.delete(key);
    return undefined;
  }

  /** @param offered what this connection was to resume: if it did, the new session is only as fresh as that. */
  put(key: string, session: Buffer, ssl: SslDigest, offered: KnownSession | undefined): void {
    const resumed = ssl.sessionReused ? offered : undefined;
    this.#sessions.set(key, { session, ssl, verifiedAt: resumed?.verifiedAt ?? this.#now() });
  }

  /** For a session that a handshake failed with. */
  forget(key: string): void {
    this.#sessions.delete(key);
  }
}
