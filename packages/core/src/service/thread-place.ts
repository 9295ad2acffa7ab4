/**
 * Which of a service's threads this is, and the memory that it shares with the others.
 *
 * Invariant: every shared buffer consists of `rows` parts of the same size, and a thread writes to its own part only.
 * The main thread clears the part of a thread that has ended, so that nothing is counted for ever.
 */

/** The place of one thread among those of its service. */
export interface ThreadPlace {
  /** From 0 to `count - 1`. A thread that replaces another one has its index. */
  readonly index: number;
  /** How many threads serve. 1: everything runs on the main thread. */
  readonly count: number;
  /** The part of each shared buffer that belongs to this thread. */
  readonly row: number;
  /** Into how many parts shared buffers are divided; more than `count`, because threads overlap while one is replaced. */
  readonly rows: number;
  /** The buffers that the service has asked for (`Service.sharedMemory`), by name. */
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>;
}

/** The place of a service that runs alone. */
export function soleThread(shared: Readonly<Record<string, SharedArrayBuffer>> = {}): ThreadPlace {
  return { index: 0, count: 1, row: 0, rows: 1, shared };
}

/** Allocates what a service asks for. */
export function allocateShared(
  bytesByName: Readonly<Record<string, number>> = {},
): Readonly<Record<string, SharedArrayBuffer>> {
  return Object.fromEntries(Object.entries(bytesByName).map(([name, bytes]) => [name, new SharedArrayBuffer(bytes)]));
}

/** Zeroes one part of every buffer: its thread is gone. */
export function clearRow(shared: Readonly<Record<string, SharedArrayBuffer>>, row: number, rows: number): void {
  for (const buffer of Object.values(shared)) {
    const bytes = buffer.byteLength / rows;
    new Uint8Array(buffer, row * bytes, bytes).fill(0);
  }
}
