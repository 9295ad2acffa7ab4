/**
 * Memory that native code may read and write while JavaScript holds it. Small typed arrays can live inside of V8's heap,
 * where a collection moves them; an ArrayBuffer made as such never does.
 */

/** Zeroed memory with an address that stays; keep the buffer referenced as long as native code may use it. */
export function nativeMemory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}
