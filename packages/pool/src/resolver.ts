/**
 * Names to addresses: asynchronous, cached, one query per name at a time, and stale answers rather than none.
 *
 * Uses the system's resolver (hosts file included). It tells no time to live, so answers are kept for a fixed one.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP } from 'node:net';
import { CirqueError } from '@cirque/error';
import { readCount, shown } from './check-option.ts';

/** Asks for all addresses of a name. */
export type LookupAll = (host: string) => Promise<readonly string[]>;

/** Options of {@link Resolver}. */
export interface ResolverOptions {
  /** How long an answer is fresh. Default 10,000 ms; 0 asks for every connection. */
  readonly ttlMs?: number;
  /** How many names are remembered; the one asked first goes first. Default 10,000. */
  readonly maxNames?: number;
  /** Who answers. Default: the system's resolver. */
  readonly lookup?: LookupAll;
  /** Monotonic milliseconds; for tests. */
  readonly now?: () => number;
}

/** For so many times its time to live an old answer is used at once while the query goes on behind. */
const SERVE_STALE_TTLS = 10;

/** After a failed query an old answer counts as fresh for this long, or for its time to live if that is shorter. */
const RETRY_MS = 1_000;

interface Answer {
  addresses: readonly string[];
  freshUntil: number;
  pending: Promise<readonly string[]> | undefined;
}

/** A resolver with its cache. */
export class Resolver {
  readonly #ttlMs: number;
  readonly #maxNames: number;
  readonly #lookup: LookupAll;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answer>();

  /** @throws RangeError for `ttlMs` or `maxNames` that are not integers from 0 and from 1. */
  constructor(options: ResolverOptions = {}) {
    this.#ttlMs = readCount('resolver option ttlMs', options.ttlMs ?? 10_000);
    this.#maxNames = readCount('resolver option maxNames', options.maxNames ?? 10_000);
    if (this.#maxNames === 0) throw new RangeError('resolver option maxNames is 0: expected an integer of at least 1');
    this.#lookup = options.lookup ?? systemLookup;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * The addresses of a host, at least one; an IP address is its own answer.
   *
   * A fresh answer comes at once. So does an old one of a name in use, while a query refreshes it for later connections;
   * a name that was not asked for ten times `ttlMs` waits for the query, and keeps its old answer when that fails.
   * @throws CirqueError ConnectNoRoute, source Upstream, when the name has no address and none is remembered.
   */
  resolve(host: string): readonly string[] | Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const answer = this.#answers.get(host);
    if (answer === undefined) return this.#query(host, this.#remember(host));
    const age = this.#now() - answer.freshUntil;
    if (age < 0) return answer.addresses;
    const query = this.#query(host, answer);
    return answer.addresses.length > 0 && age < this.#ttlMs * SERVE_STALE_TTLS ? answer.addresses : query;
  }

  #query(host: string, answer: Answer): Promise<readonly string[]> {
    answer.pending ??= this.#ask(host, answer).finally(() => {
      answer.pending = undefined;
    });
    return answer.pending;
  }

  /** Rejects only when there is no old answer to fall back on. */
  async #ask(host: string, answer: Answer): Promise<readonly string[]> {
    try {
      const addresses = await this.#lookup(host);
      if (!Array.isArray(addresses) || addresses.length === 0) throw new Error('the name has no address');
      const wrong = addresses.find((address) => isIP(address) === 0);
      if (wrong !== undefined) throw new TypeError(`lookup answered ${shown(wrong)}: expected IP addresses`);
      answer.addresses = addresses;
      answer.freshUntil = this.#now() + this.#ttlMs;
    } catch (cause) {
      if (answer.addresses.length === 0) {
        if (this.#answers.get(host) === answer) this.#answers.delete(host);
        throw CirqueError.upstream('ConnectNoRoute', `resolving ${host}`, cause);
      }
      answer.freshUntil = this.#now() + Math.min(this.#ttlMs, RETRY_MS);
    }
    return answer.addresses;
  }

  #remember(host: string): Answer {
    const oldest = this.#answers.size >= this.#maxNames ? this.#answers.keys().next().value : undefined;
    if (oldest !== undefined) this.#answers.delete(oldest);
    const answer: Answer = { addresses: [], freshUntil: Number.NEGATIVE_INFINITY, pending: undefined };
    this.#answers.set(host, answer);
    return answer;
  }
}

function systemLookup(host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, order: 'verbatim' }, (error, addresses: LookupAddress[]) => {
      if (error !== null) reject(error);
      else resolve(addresses.map((entry) => entry.address));
    });
  });
}
