/**
 * The network that a key names, as bytes: `10.0.0.1`, `10.0.0.1:5000`, `::1`, `[::1]:5000`, `fe80::1%eth0`, or 4 or 16 bytes.
 *
 * Ports and zones do not count. An IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`) is that IPv4 address. Allocates nothing.
 */
import { readIpv4, readIpv6 } from './ip-text.ts';
import type { SelectionKey } from './selection.ts';

const BRACKET = 0x5b;
const COLON = 0x3a;

/** Reads one key after the other into the same bytes. */
export class IpKey {
  readonly #four = new Uint8Array(4);
  readonly #sixteen = new Uint8Array(16);
  readonly #ipv4PrefixLength: number;
  readonly #ipv6PrefixLength: number;

  /** So many leading bits count, the others become 0. */
  constructor(ipv4PrefixLength: number, ipv6PrefixLength: number) {
    this.#ipv4PrefixLength = ipv4PrefixLength;
    this.#ipv6PrefixLength = ipv6PrefixLength;
  }

  /** The network's 4 or 16 bytes, valid until the next call; the key itself if it is no IP address. */
  networkOf(key: SelectionKey): SelectionKey {
    const length = typeof key === 'string' ? this.#readText(key) : this.#readBytes(key);
    if (length === 0) return key;
    if (length === 4 || this.#takeMapped()) return masked(this.#four, this.#ipv4PrefixLength);
    return masked(this.#sixteen, this.#ipv6PrefixLength);
  }

  /** 4 or 16, or 0 for what is no address. */
  #readText(text: string): number {
    if (text.charCodeAt(0) === BRACKET) {
      const end = text.indexOf(']');
      return end !== -1 && isPort(text, end + 1) && readIpv6(text, 1, end, this.#sixteen) ? 16 : 0;
    }
    const colon = text.indexOf(':');
    if (colon !== -1 && readIpv6(text, 0, text.length, this.#sixteen)) return 16;
    const end = colon === -1 ? text.length : colon;
    return isPort(text, end) && readIpv4(text, 0, end, this.#four, 0) ? 4 : 0;
  }

  #readBytes(bytes: Uint8Array): number {
    const { length } = bytes;
    if (length === 4) for (let i = 0; i < 4; i += 1) this.#four[i] = bytes[i] as number;
    else if (length === 16) for (let i = 0; i < 16; i += 1) this.#sixteen[i] = bytes[i] as number;
    else return 0;
    return length;
  }

  /** ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
  #takeMapped(): boolean {
    const bytes = this.#sixteen;
    for (let i = 0; i < 10; i += 1) if (bytes[i] !== 0) return false;
    if (bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
    for (let i = 0; i < 4; i += 1) this.#four[i] = bytes[12 + i] as number;
    return true;
  }
}

function masked(bytes: Uint8Array, prefixLength: number): Uint8Array {
  for (let i = 0; i < bytes.length; i += 1) {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * i));
    bytes[i] = (bytes[i] as number) & (0xff00 >> bits);
  }
  return bytes;
}

/** True when the text ends there, or goes on with a colon and digits only. */
function isPort(text: string, start: number): boolean {
  if (start === text.length) return true;
  if (text.charCodeAt(start) !== COLON || start + 1 === text.length) return false;
  for (let i = start + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
