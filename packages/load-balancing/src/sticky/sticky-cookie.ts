/**
 * Keeps a client at its backend by a cookie.
 *
 * Reads and writes the cookie; whether the backend can be had is decided by the choice (`prefer` of pick and acquire).
 * Cookie syntax: RFC 6265 section 4.1; prefixes of names and SameSite: RFC 6265bis.
 */
import { integerOption } from '../number-option.ts';
import { type Addressed, BackendTokens } from './backend-tokens.ts';
import { cookieValues } from './cookie-values.ts';

/** Everything has a default. */
export interface StickyCookieOptions {
  /** Default `cirque-backend`. */
  readonly name?: string | undefined;
  /**
   * Of 16 bytes or more, the same in all threads and gateways. With it clients can neither learn addresses nor choose a backend;
   * without, who guesses an address can do both. Default none.
   */
  readonly secret?: string | Uint8Array | undefined;
  /** Default `/`. */
  readonly path?: string | undefined;
  /** The cookie is sent over TLS only. Default false, as the proxy may be used without TLS. */
  readonly secure?: boolean | undefined;
  /** Which requests from other sites it comes with. Default `Lax`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined;
  /** How long the client keeps it. Default none: as long as the browser runs. */
  readonly ttlMs?: number | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SAME_SITE = ['Strict', 'Lax', 'None'] as const;
/** Clients send a few cookies of one name at the most, and forged ones shall cost nothing. */
const MAX_CANDIDATES = 4;

/** Makes and reads the cookie. Throws TypeError or RangeError, naming the option, for values that cannot work. */
export class StickyCookie {
  readonly name: string;
  readonly #attributes: string;
  readonly #tokens: BackendTokens;

  constructor(options: StickyCookieOptions = {}) {
    const { name = 'cirque-backend', secret } = options;
    if (!TOKEN.test(name)) throw new TypeError(`name must be a cookie name, a token, got ${JSON.stringify(name)}`);
    this.name = name;
    this.#attributes = attributesOf(name, options);
    this.#tokens = new BackendTokens(readSecret(secret));
  }

  /**
   * The address of the backend that the client belongs to, for `prefer`; undefined when it has no such cookie, or one that we
   * did not make, or of a backend that has left the set.
   *
   * `cookieHeader` is the Cookie field; several of them are joined by `; `. `backends` is `balancer.backends`; a list of
   * yours must be another one when its content changes. After a start, or a change, with more than 2,000 backends, it takes some
   * turns of the event loop until all tokens are known.
   */
  read(cookieHeader: string | undefined, backends: Iterable<Addressed>): string | undefined {
    if (cookieHeader === undefined || !cookieHeader.includes(this.name)) return undefined;
    for (const token of cookieValues(cookieHeader, this.name).slice(0, MAX_CANDIDATES)) {
      const address = this.#tokens.addressOf(token, backends);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** The value of a Set-Cookie field that keeps the client at this backend. */
  setCookie(backend: Addressed): string {
    return `${this.name}=${this.#tokens.tokenOf(backend.address)}${this.#attributes}`;
  }
}

function attributesOf(name: string, options: StickyCookieOptions): string {
  const { path = '/', secure = false, sameSite = 'Lax', ttlMs } = options;
  if (!/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path)) {
    throw new TypeError(`path must begin with a slash and have no semicolon, got ${JSON.stringify(path)}`);
  }
  if (!SAME_SITE.includes(sameSite)) {
    throw new TypeError(`sameSite must be 'Strict', 'Lax' or 'None', got ${String(sameSite)}`);
  }
  if (!secure && sameSite === 'None')
    throw new TypeError("sameSite 'None' needs secure: true, else browsers refuse it");
  if (!secure && /^__(?:Secure|Host)-/i.test(name)) {
    throw new TypeError(`a cookie of the name ${name} needs secure: true, else browsers refuse it`);
  }
  if (/^__Host-/i.test(name) && path !== '/') {
    throw new TypeError(`a cookie of the name ${name} needs the path '/', else browsers refuse it`);
  }
  const maxAge = ttlMs === undefined ? '' : `; Max-Age=${Math.ceil(integerOption('ttlMs', ttlMs, 0, 1) / 1000)}`;
  return `; Path=${path}${maxAge}; HttpOnly${secure ? '; Secure' : ''}; SameSite=${sameSite}`;
}

function readSecret(secret: string | Uint8Array | undefined): string | Uint8Array | undefined {
  if (secret === undefined) return undefined;
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new TypeError(`secret must be a string or bytes, got a value of type ${typeof secret}`);
  }
  const length = typeof secret === 'string' ? Buffer.byteLength(secret) : secret.byteLength;
  if (length < 16) throw new RangeError(`secret must have 16 bytes or more, got ${length}`);
  return typeof secret === 'string' ? secret : Uint8Array.from(secret);
}
