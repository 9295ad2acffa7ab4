/**
 * Going anywhere instead of on: when many neighbours have left the rotation together, the next candidate has to come from
 * somewhere else, or a choice would end among them.
 */

/** 2^32 / golden ratio: its multiples are spread evenly over all numbers of 32 bits. */
const SPREAD = 0x9e3779b9;

/** From 0 to size - 1, far from each other for neighbouring integers. `size` is at least 1. */
export function spread(integer: number, size: number): number {
  return (Math.imul(integer, SPREAD) >>> 0) % size;
}
