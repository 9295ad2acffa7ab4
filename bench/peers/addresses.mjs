/**
 * Reads `--listen HOST:PORT --upstream HOST:PORT`, the two flags that every Node peer takes.
 *
 * Boundary: the peers are comparison objects, so they share nothing else.
 */
import { parseArgs } from 'node:util';

/** Connections that may wait in the kernel for `accept`; the same for every Node peer. */
export const BACKLOG = 4096;

/** Idle time after which a peer may close a client connection: longer than any idle measurement. */
export const KEEP_ALIVE_MS = 600_000;

/** Idle upstream connections that a peer may keep: enough for every load shape. */
export const MAX_IDLE_UPSTREAM = 1024;

function split(value, flag) {
  const match = /^([^:]+):(\d+)$/.exec(value ?? '');
  if (match === null) throw new TypeError(`${flag} must be HOST:PORT, got ${JSON.stringify(value)}`);
  return { host: match[1], port: Number(match[2]) };
}

/** The two addresses of this process's command line. */
export function addresses() {
  const { values } = parseArgs({ options: { listen: { type: 'string' }, upstream: { type: 'string' } } });
  return { listen: split(values.listen, '--listen'), upstream: split(values.upstream, '--upstream') };
}
