/**
 * Names to addresses: asynchronous, cached, one query per name at a time, and stale answers rather than none.
 *
 * Uses the system's resolver (hosts file included). It tells no time to live, so answers are kept for a fixed one.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP } from 'node:net';
import { CirqueError } from '@cirque/error';

/** Asks for all addresses of a name. */
export type LookupAll = (host: string) => Promise<readonly string[]>;

/** Options of {@link Resolver}. */
export interface ResolverOptions {
  /** How long an answer is fresh. Default 10,000 ms. */
  readonly ttlMs?: number;
  /** How many names are remembered. Default 10,000. */
  readonly maxNames?: number;
  readonly lookup?: LookupAll;
  readonly now?: () => number;
}

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

  constructor(options: ResolverOptions = {}) {
    this.#ttlMs = options.ttlMs ?? 10_000;
    this.#maxNames = options.maxNames ?? 10_000;
    this.#lookup = options.lookup ?? systemLookup;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * The addresses of a host, at least one; an IP address is its own answer.
   *
   * @throws CirqueError ConnectNoRoute, source Upstream, when the name has no address and none is remembered.
   */
  resolve(host: string): readonly string[] | Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const answer = this.#answers.get(host);
    if (answer !== undefined && answer.addresses.length > 0) {
      if (answer.freshUntil > this.#now()) return answer.addresses;
      // Serve the old answer now; the query refreshes it for the next connection, or leaves it when the resolver fails.
      this.#query(host, answer).catch(ignore);
      return answer.addresses;
    }
    return this.#query(host, answer ?? this.#remember(host));
  }

  #query(host: string, answer: Answer): Promise<readonly string[]> {
    answer.pending ??= this.#ask(host, answer).finally(() => {
      answer.pending = undefined;
    });
    return answer.pending;
  }

  async #ask(host: string, answer: Answer): Promise<readonly string[]> {
    try {
      const addresses = await this.#lookup(host);
      if (addresses.length === 0) throw new Error('the name has no address');
      answer.addresses = addresses;
      answer.freshUntil = this.#now() + this.#ttlMs;
      return addresses;
    } catch (cause) {
      if (answer.addresses.length === 0) this.#answers.delete(host);
      throw CirqueError.upstream('ConnectNoRoute', `resolving ${host}`, cause);
    }
  }

  #remember(host: string): Answer {
    const oldest = this.#answers.size >= this.#maxNames ? this.#answers.keys().next().value : undefined;
    if (oldest !== undefined) this.#answers.delete(oldest);
    const answer: Answer = { addresses: [], freshUntil: 0, pending: undefined };
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

// The failure was recorded by the query itself: the remembered answer stays.
function ignore(): void {}
