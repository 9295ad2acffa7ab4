/**
 * Asks name servers for addresses and services, within time limits.
 *
 * Uses node:dns resolvers, which know nothing of the hosts file. One for each discovery: so giving one up ends its queries
 * and no others, and changed settings of the system count at the next.
 */
import { promises } from 'node:dns';
import { isIP } from 'node:net';
import { fromNodeError } from '@cirque/error';
import { integerOption } from '../number-option.ts';

/** Everything has a default. */
export interface DnsQueryOptions {
  /** Name servers, `10.0.0.2` or `10.0.0.2:5353` or `[::1]:53`. Default those of the system. */
  readonly nameservers?: readonly string[] | undefined;
  /** Which addresses: IPv4, IPv6, or `any` for both. Default `any`. */
  readonly family?: 'any' | 4 | 6 | undefined;
  /** How long one query is waited for; each repetition waits longer. Default 2,000. */
  readonly queryTimeoutMs?: number | undefined;
  /** How often each name server is asked. Default 2. */
  readonly tries?: number | undefined;
}

/** What name servers say of a name. */
export interface ResolvedName {
  /** There is no such name; otherwise it may have no addresses all the same. */
  readonly missing: boolean;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  /** The shortest time for which one of the records may be kept; undefined without records. */
  readonly ttlMs: number | undefined;
}

/** A record of a service (RFC 2782). */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The resolver of one discovery. */
export type Resolver = promises.Resolver;

/** Codes of definite answers: there is no such name; it has no such records. */
const NO_NAME = 'ENOTFOUND';
const NO_RECORDS = 'ENODATA';
/** Codes of name servers that cannot answer, though another one may. */
const REFUSALS = new Set(['ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP', 'ECONNREFUSED']);

/** Makes queries. Throws TypeError or RangeError, naming the option, for values that cannot work. */
export class DnsQueries {
  readonly #nameservers: readonly string[] | undefined;
  readonly #timeouts: { readonly timeout: number; readonly tries: number };
  readonly #ipv4: boolean;
  readonly #ipv6: boolean;

  constructor(options: DnsQueryOptions) {
    const { family = 'any', nameservers } = options;
    if (family !== 'any' && family !== 4 && family !== 6) {
      throw new TypeError(`family must be 'any', 4 or 6, got ${String(family)}`);
    }
    this.#ipv4 = family !== 6;
    this.#ipv6 = family !== 4;
    const timeout = integerOption('queryTimeoutMs', options.queryTimeoutMs, 2_000, 1, 600_000);
    this.#timeouts = { timeout, tries: integerOption('tries', options.tries, 2, 1, 10) };
    this.#nameservers = nameservers === undefined || nameservers.length === 0 ? undefined : [...nameservers];
    try {
      this.#open();
    } catch (cause) {
      throw new TypeError(`nameservers must be IP addresses, or IP:port, got ${JSON.stringify(nameservers)}`, {
        cause,
      });
    }
  }

  /**
   * Runs `ask` with a resolver whose queries end with the signal. When a name server says that it cannot answer, with another
   * one that begins with the next name server; a silent one is passed over by the resolver itself.
   */
  async run<T>(signal: AbortSignal | undefined, ask: (resolver: Resolver) => Promise<T>): Promise<T> {
    const servers = this.#open().getServers();
    for (let first = 0; ; first += 1) {
      signal?.throwIfAborted();
      try {
        return await this.#runWith([...servers.slice(first), ...servers.slice(0, first)], signal, ask);
      } catch (error) {
        if (first + 1 >= servers.length || !isRefusal(error)) throw error;
      }
    }
  }

  /** The addresses of a name. Rejects with CirqueError when a name server fails or does not answer. */
  async addresses(resolver: Resolver, name: string): Promise<ResolvedName> {
    const answers = await Promise.all([
      ...(this.#ipv4 ? [definite(name, resolver.resolve4(name, { ttl: true }))] : []),
      ...(this.#ipv6 ? [definite(name, resolver.resolve6(name, { ttl: true }))] : []),
    ]);
    const records = answers.flatMap((answer) => answer.records);
    return {
      missing: answers.every((answer) => answer.missing),
      addresses: records.map(({ address }) => address),
      ttlMs: records.length === 0 ? undefined : Math.min(...records.map(({ ttl }) => ttl)) * 1000,
    };
  }

  /** The records of a service; undefined when there is no such name. Rejects as `addresses` does. */
  async services(resolver: Resolver, name: string): Promise<readonly ServiceRecord[] | undefined> {
    const { missing, records } = await definite<ServiceRecord>(name, resolver.resolveSrv(name));
    return missing ? undefined : records;
  }

  async #runWith<T>(
    servers: readonly string[],
    signal: AbortSignal | undefined,
    ask: (resolver: Resolver) => Promise<T>,
  ): Promise<T> {
    const resolver = this.#open(servers);
    const cancel = (): void => resolver.cancel();
    signal?.addEventListener('abort', cancel);
    try {
      return await ask(resolver);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // When one of several queries has failed, nobody waits for the others.
      cancel();
    }
  }

  #open(servers = this.#nameservers): Resolver {
    const resolver = new promises.Resolver(this.#timeouts);
    if (servers !== undefined) resolver.setServers(servers);
    return resolver;
  }
}

interface Answer<T> {
  readonly missing: boolean;
  readonly records: readonly T[];
}

/** That there is no such name, or that it has no such records, is an answer. Everything else that fails is an error. */
async function definite<T>(name: string, query: Promise<readonly T[]>): Promise<Answer<T>> {
  try {
    return { missing: false, records: await query };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === NO_NAME || code === NO_RECORDS) return { missing: code === NO_NAME, records: [] };
    throw fromNodeError(error, 'connect', 'Upstream', `cannot resolve ${name}`);
  }
}

function isRefusal(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && REFUSALS.has(code);
}

/** The name in lower case. Throws TypeError, naming the option, for what is no name. */
export function dnsName(option: string, name: string): string {
  const isName =
    typeof name === 'string' && name.length <= 253 && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(name);
  if (isName && isIP(name) === 0) return name.toLowerCase();
  throw new TypeError(`${option} must be a DNS name, got ${JSON.stringify(name)}`);
}
