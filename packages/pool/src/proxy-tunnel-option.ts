/**
 * The peer option `proxy`: an HTTP proxy on the way to the peer. How it is asked: connect-tunnel.ts.
 */
import { HeaderMap } from '@cirque/http';
import type { Address } from '@cirque/transport';
import { readFields, readObject, readText } from './check-option.ts';
import { checkAddress } from './peer-address.ts';

/** Reach the peer through an HTTP proxy that is asked for a tunnel with CONNECT. */
export interface ProxyTunnel {
  /** Where the proxy listens. */
  readonly nextHop: Address;
  /** Further fields of the CONNECT request, for example Proxy-Authorization; not Host and no framing fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws TypeError naming the option, the value and what would be right. */
export function readProxyTunnel(name: string, value: unknown): ProxyTunnel {
  const { nextHop, headers } = readFields(name, value, ['nextHop', 'headers']);
  const address = checkAddress(`${name}.nextHop`, nextHop as Address);
  return headers === undefined ? { nextHop: address } : { nextHop: address, headers: readHeaders(name, headers) };
}

function readHeaders(name: string, value: unknown): Readonly<Record<string, string>> {
  const fields = Object.entries(readObject(`${name}.headers`, value)).map(([field, text]): [string, string] => {
    if (/^(?:host|content-length|transfer-encoding)$/i.test(field)) {
      throw new TypeError(`${name}.headers.${field} is not accepted: the CONNECT request has its own, or none`);
    }
    return [field, readText(`${name}.headers.${field}`, text)];
  });
  try {
    HeaderMap.from(fields);
  } catch (cause) {
    throw new TypeError(`${name}.headers holds a field that cannot be sent: ${String(cause)}`, { cause });
  }
  return Object.fromEntries(fields);
}
