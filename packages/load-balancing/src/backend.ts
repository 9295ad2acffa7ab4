/**
 * One upstream server: where it is, its weight, and whatever the user attaches to it.
 *
 * A backend is a value that never changes; its health is not part of it (backends.ts). Text forms are those of
 * @cirque/transport, made canonical here, because the text is the key under which health is kept.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type Address, formatAddress, isUnixAddress, parseAddress } from '@cirque/transport';

/** What a backend has besides its address. */
export interface BackendOptions {
  /** Share of the traffic relative to the other backends, an integer from 0 to 1,000,000. Default 1. Zero: never chosen. */
  readonly weight?: number | undefined;
  /**
   * Backends of a smaller number go first; those of the next are used while nobody before them is in rotation or below its
   * cap. An integer from 0 to 15. Default 0; backups simply have a higher one.
   */
  readonly priority?: number | undefined;
  /** How many picks may be under way at a time, an integer from 0. Default 0: what the balancer says (`maxConnections`). */
  readonly maxConnections?: number | undefined;
  /** Data of yours, of any kind, under keys of your choice. The map is copied. Default empty. */
  readonly ext?: ReadonlyMap<unknown, unknown> | undefined;
}

/** The largest priority number. */
export const MAX_PRIORITY = 15;

/** The largest weight; it keeps every sum of weights exact. */
export const MAX_WEIGHT = 1_000_000;

/** Keeps every count of uses in 32 bits. */
export const MAX_CONNECTIONS = 1_000_000_000;
const FORMS = "expected 'host:port', '[ipv6]:port' or 'unix:/path', with a port from 1 to 65535";
/** One byte less than the kernel's sun_path, for the closing zero. */
const MAX_UNIX_PATH_BYTES = 107;
const NO_DATA: ReadonlyMap<unknown, unknown> = new Map();

/** What both kinds of backend share; exported under the name `Backend`. */
abstract class BackendBase {
  /** Canonical text: `1.1.1.1:443`, `[::1]:80`, `name:8080`, `unix:/run/x.sock`. Two backends with one text are the same server. */
  readonly address: string;
  /** Share of the traffic; 0 means never chosen. */
  readonly weight: number;
  /** Smaller goes first. */
  readonly priority: number;
  /** How many picks may be under way at a time; 0: what the balancer says. */
  readonly maxConnections: number;
  /** The user's data. */
  readonly ext: ReadonlyMap<unknown, unknown>;

  protected constructor(address: string, options: BackendOptions) {
    this.address = address;
    this.weight = checkInteger('weight', address, options.weight ?? 1, MAX_WEIGHT);
    this.priority = checkInteger('priority', address, options.priority ?? 0, MAX_PRIORITY);
    this.maxConnections = checkInteger('maxConnections', address, options.maxConnections ?? 0, MAX_CONNECTIONS);
    this.ext = options.ext === undefined ? NO_DATA : new Map(options.ext);
  }

  /**
   * Reads `1.1.1.1:443`, `[::1]:80`, `name:port` or `unix:/run/x.sock`. A name stays a name: it is resolved when a
   * connection is made, or beforehand by `StaticDiscovery`.
   *
   * Throws TypeError for anything else, and RangeError for a weight, priority or maximum out of its range.
   */
  static parse(text: string, options: BackendOptions = {}): Backend {
    return BackendBase.of(readAddress(text), options);
  }

  /** Makes a backend from an address in parts, with the checks of `parse`. */
  static of(address: Address, options: BackendOptions = {}): Backend {
    if (isUnixAddress(address)) return new UnixBackend(checkPath(address.path), options);
    const { host, port } = address;
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) throw badAddress(formatAddress(address));
    return new InetBackend(canonicalHost(host, port), port, options);
  }

  /** The canonical address. */
  toString(): string {
    return this.address;
  }
}

/** A backend behind TCP. `host` is an IP address (IPv6 without brackets) or a name in lower case. */
export class InetBackend extends BackendBase {
  readonly host: string;
  readonly port: number;

  /** For `Backend.parse` and `Backend.of`, which check what they pass. */
  constructor(host: string, port: number, options: BackendOptions) {
    super(formatAddress({ host, port }), options);
    this.host = host;
    this.port = port;
    Object.freeze(this);
  }
}

/** A backend behind a unix-domain socket. */
export class UnixBackend extends BackendBase {
  readonly path: string;

  /** For `Backend.parse` and `Backend.of`, which check what they pass. */
  constructor(path: string, options: BackendOptions) {
    super(formatAddress({ path }), options);
    this.path = path;
    Object.freeze(this);
  }
}

/** An upstream server: `{ host, port }` or `{ path }`, so that it fits wherever an address is asked for. */
export type Backend = InetBackend | UnixBackend;

/** Makes backends: `Backend.parse(text)`, `Backend.of(address)`. */
export const Backend: typeof BackendBase = BackendBase;

function readAddress(text: string): Address {
  if (typeof text !== 'string' || text.startsWith('/')) throw badAddress(text);
  try {
    return parseAddress(text);
  } catch (cause) {
    throw badAddress(text, cause);
  }
}

function checkPath(path: string): string {
  const fits = path.length > 0 && !path.includes('\0') && Buffer.byteLength(path) <= MAX_UNIX_PATH_BYTES;
  if (!fits) {
    throw new TypeError(
      `backend address ${JSON.stringify(`unix:${path}`)} is not valid: a socket path has from 1 to ${MAX_UNIX_PATH_BYTES} bytes and no NUL`,
    );
  }
  return path;
}

function canonicalHost(host: string, port: number): string {
  if (isIPv4(host)) return host;
  if (isIPv6(host)) {
    const [address = '', zone] = host.split('%', 2);
    const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
    return zone === undefined ? canonical : `${canonical}%${zone}`;
  }
  // A last label of digits only would be a mistyped IPv4 address, never a name of the public DNS.
  const isName =
    /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(host) && host.length <= 253 && !/(?:^|\.)\d+\.?$/.test(host);
  if (!isName) throw badAddress(formatAddress({ host, port }));
  return host.toLowerCase();
}

function checkInteger(what: string, address: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${what} of backend ${address} must be an integer from 0 to ${max}, got ${String(value)}`);
}

function badAddress(text: unknown, cause?: unknown): TypeError {
  const shown = typeof text === 'string' ? JSON.stringify(text) : `of type ${typeof text}`;
  return new TypeError(`backend address ${shown} is not valid: ${FORMS}`, cause === undefined ? undefined : { cause });
}
