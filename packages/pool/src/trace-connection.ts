/**
 * Reports the life of a connection to the tracer of its peer.
 */
import { CirqueError } from '@cirque/error';
import type { Stream } from '@cirque/transport';
import type { ConnectionTracer } from './peer-options.ts';

/** Reports the connection now, and its end when that comes. */
export function traceConnection(stream: Stream, tracer: ConnectionTracer): void {
  let failure: CirqueError | undefined;
  stream.duplex.on('error', (error) => {
    failure = CirqueError.from(error, 'ReadError', 'Upstream');
  });
  stream.duplex.on('close', () => attempt(() => tracer.onDisconnected?.(failure)));
  attempt(() => tracer.onConnected?.(stream.digest));
}

/** A tracer only watches: what it throws is its own affair, reported where nobody can miss it but nothing breaks. */
function attempt(call: () => unknown): void {
  try {
    const result = call();
    // An async method fits the type as well, and a rejection that nobody handles would end the process.
    if (result instanceof Promise) result.catch(warn);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  process.emitWarning(`connection tracer failed: ${String(error)}`, 'CirqueWarning');
}
