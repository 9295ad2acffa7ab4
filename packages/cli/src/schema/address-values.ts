/**
 * Addresses of listeners and servers, and networks of clients, in their canonical text forms.
 */
import { isIP, isIPv6 } from 'node:net';
import { formatAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import type { z } from 'zod';
import { jsonText } from './basic-values.ts';
import { leaf, Refused } from './leaf.ts';

/** One byte less than the system has room for. */
const MAX_UNIX_PATH_BYTES = 107;

/** Where to listen: `host:port`, `:port` (all addresses of both families), a port alone, `unix:path`. */
export const listenAddress: z.ZodType<string> = leaf(
  {
    title: 'address',
    expects: 'an address to listen on: host:port, :port, [ipv6]:port or unix:/path',
    types: ['string', 'number'],
    json: {
      anyOf: [
        { type: 'string', pattern: '^(unix:.+|.*:\\d{1,5})$' },
        { type: 'integer', minimum: 1, maximum: 65_535 },
      ],
    },
  },
  (given: string | number) => {
    const text = typeof given === 'number' ? `:${given}` : given;
    return readAddress(text.startsWith(':') && !text.startsWith('::') ? `[::]${text}` : text);
  },
);

/** A server: `host:port`, `[ipv6]:port`, `unix:path`. */
export const serverAddress: z.ZodType<string> = leaf(
  {
    title: 'address',
    expects: 'the address of a server: host:port, [ipv6]:port or unix:/path',
    types: ['string', 'number'],
    json: jsonText(/^(unix:.+|.+:\d{1,5})$/),
  },
  (given: string | number) =>
    typeof given === 'string' ? readAddress(given) : new Refused(`a host is missing: 127.0.0.1:${given}`),
);

/** Where the operator is answered. Nobody is asked who he is: only this machine can reach it. */
export const controlAddress: z.ZodType<string> = leaf(
  {
    title: 'address of this machine',
    expects: 'unix:/path or 127.0.0.1:port',
    types: ['string'],
    json: jsonText(/^(unix:.+|(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]):\d{1,5})$/),
  },
  (given) => {
    const address = readAddress(given);
    if (address instanceof Refused || address.startsWith('unix:')) return address;
    return LOOPBACK.test(address) ? address : new Refused(OPEN_CONTROL);
  },
);

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost):\d+$/;
const OPEN_CONTROL =
  'whoever reaches it may take servers out; from elsewhere go through ssh -L, or a listener with client certificates';

/** `10.0.0.0/8`, or one address. */
export const network: z.ZodType<string> = leaf(
  {
    title: 'network',
    expects: 'a network such as 10.0.0.0/8 or fd00::/8, or an address',
    types: ['string'],
    json: jsonText(/^[0-9a-fA-F:.]+(\/\d{1,3})?$/),
  },
  (given) => {
    const [address = '', bits, ...more] = given.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    if (family === 0 || address.includes('%') || more.length > 0) {
      return new Refused(/^[a-z]/i.test(given) && family === 0 ? 'names are not looked up here' : undefined);
    }
    if (bits === undefined) return given;
    return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? given : new Refused(`/0 to /${most} are possible`);
  },
);

/** A name server: an address, with a port if it is not 53. */
export const nameserver: z.ZodType<string> = leaf(
  {
    title: 'address',
    expects: 'the address of a name server: 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53',
    types: ['string'],
    json: jsonText(/^[0-9a-fA-F:.[\]]+$/),
  },
  (given) => {
    if (isIP(given) !== 0) return given;
    const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(given) ?? [];
    const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
    const bracketed = inner !== host;
    const right = bracketed ? isIPv6(inner) : isIP(inner) === 4;
    return right && isPort(port) ? given : new Refused();
  },
);

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535;
}

function readAddress(given: string): string | Refused {
  if (given.startsWith('unix:')) return readUnix(given.slice('unix:'.length));
  if (given.startsWith('/') || given.startsWith('./')) return new Refused(`write unix:${given}`);
  let address: ReturnType<typeof parseAddress>;
  try {
    address = parseAddress(given);
  } catch {
    return new Refused(addressHint(given));
  }
  if (isUnixAddress(address)) return `unix:${address.path}`;
  if (address.port === 0) return new Refused('ports are from 1 to 65535');
  return formatAddress({ host: address.host.toLowerCase(), port: address.port });
}

function readUnix(path: string): string | Refused {
  if (path === '' || path.includes('\0')) return new Refused();
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES)
    return new Refused(`paths of unix sockets have at most ${MAX_UNIX_PATH_BYTES} bytes`);
  return `unix:${path}`;
}

function addressHint(given: string): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/i.exec(given);
  if (scheme !== null) return `write it without the scheme${scheme[1] === '' ? '' : `: ${scheme[1]}`}`;
  if (given.startsWith('*:')) return `write ${given.slice(1)}`;
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(given) ?? [];
  if (isIP(given) === 6 || isIPv6(host)) return 'IPv6 addresses are written in brackets: [::1]:80';
  if (port !== '' && !isPort(port)) return 'ports are from 1 to 65535';
  if (/^[A-Za-z0-9.-]+$/.test(given)) return /^\d+$/.test(given) ? `write :${given}` : `a port is missing: ${given}:80`;
  return undefined;
}
