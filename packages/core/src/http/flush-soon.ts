/**
 * Collects what connections write in one round of the event loop, so that each makes one write of it.
 *
 * The answers of many streams come from many upstream sockets, each in a callback of its own; the check phase follows all
 * of them.
 */

/** Something that was written to, and not flushed. */
export interface Flushable {
  flushNow(): void;
}

let waiting: Flushable[] = [];

/** Calls `flushNow` at the end of this round. The caller sees to it that it is asked for once only. */
export function flushSoon(connection: Flushable): void {
  if (waiting.push(connection) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const connections = waiting;
  waiting = [];
  for (const connection of connections) connection.flushNow();
}
