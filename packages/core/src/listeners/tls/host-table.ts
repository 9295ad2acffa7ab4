/**
 * Finds what belongs to a server name: exact names first, then `*.` names, which stand for exactly one label
 * (RFC 9525 section 6.3).
 */
import { plainServerName } from '@cirque/transport';

/** A table by server name; never changes. */
export class HostTable<T> {
  readonly #exact: Map<string, T> = new Map();
  /** By the name without `*`, as in `.example.com`. */
  readonly #wildcards: Map<string, T> = new Map();

  /** @throws TypeError for a key that is no server name, or is there twice. */
  constructor(entries: Iterable<readonly [string, T]>) {
    for (const [key, value] of entries) this.#add(key, value);
  }

  /** @param name in lower case, without a dot at its end. */
  find(name: string): T | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined;
  }

  #add(key: string, value: T): void {
    const wildcard = key.startsWith('*.');
    const name = plainServerName(wildcard ? key.slice(2) : key);
    if (name === undefined) {
      throw new TypeError(
        `host ${JSON.stringify(key)} is no server name: expected 'a.example' or '*.a.example', in ASCII`,
      );
    }
    const [map, stored] = wildcard ? [this.#wildcards, `.${name}`] : [this.#exact, name];
    if (map.has(stored)) throw new TypeError(`host ${JSON.stringify(key)} is given twice`);
    map.set(stored, value);
  }
}
