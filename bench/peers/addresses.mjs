/**
 * Reads `--listen HOST:PORT --upstream HOST:PORT` and the protocols, the flags that every Node peer takes.
 *
 * Boundary: the peers are comparison objects, so they share nothing else.
 */
import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** Connections that may wait in the kernel for `accept`; the same for every Node peer. */
export const BACKLOG = 4096;

/** Idle time after which a peer may close a client connection: longer than any idle measurement. */
export const KEEP_ALIVE_MS = 600_000;

/** Idle upstream connections that a peer may keep: enough for every load shape. */
export const MAX_IDLE_UPSTREAM = 1024;

/** The same cryptography as everybody else, and no resumption. */
const TLS = { minVersion: 'TLSv1.3', ecdhCurve: 'X25519', secureOptions: constants.SSL_OP_NO_TICKET };

function split(value, flag) {
  const match = /^([^:]+):(\d+)$/.exec(value ?? '');
  if (match === null) throw new TypeError(`${flag} must be HOST:PORT, got ${JSON.stringify(value)}`);
  return { host: match[1], port: Number(match[2]) };
}

const text = { type: 'string' };

/** The two addresses of this process's command line, and what is spoken there: `client` and `origin`, with `tls`. */
export function addresses() {
  const options = { listen: text, upstream: text, client: text, origin: text, cert: text, key: text };
  const { values } = parseArgs({ options });
  const { client = 'http', origin = 'http', cert, key } = values;
  const listen = split(values.listen, '--listen');
  const tls = cert === undefined ? undefined : { cert: readFileSync(cert), key: readFileSync(key), ...TLS };
  return { listen, upstream: split(values.upstream, '--upstream'), client, origin, tls };
}
