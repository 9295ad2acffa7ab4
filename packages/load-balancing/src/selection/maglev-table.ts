/**
 * Maglev's lookup table (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", 2016, section 3.4).
 *
 * Each backend has its own order of preference over all entries of the table; they take turns in claiming the entry they
 * like best of those that are free. In each turn a backend claims as many entries as its weight is times the average one, in
 * the long run; in the first one everybody claims at least one.
 */
import type { AddressHashes } from './address-hashes.ts';
import { STEP_ITEMS, type Steps } from './steps.ts';

const FREE = 0xffffffff;
/** A look at an entry somewhere in memory may take a hundred nanoseconds. */
const STEP_LOOKS = 4 * STEP_ITEMS;

/** The position that owns each entry. `size` is a prime that is larger than the number of backends, of which there is at least one. */
export function* maglevTable(size: number, weights: Float64Array, hashes: AddressHashes): Steps<Uint32Array> {
  const order = yield* hashes.order();
  const average = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  yield;
  const entries = new Uint32Array(size).fill(FREE);
  yield;
  // Where each backend goes on looking for a free entry, and how far it jumps.
  const places = hashes.high.map((hash) => hash % size);
  const jumps = hashes.low.map((hash) => 1 + (hash % (size - 1)));
  yield;
  let free = size;
  let looks = 0;
  for (let turn = 1; ; turn += 1) {
    for (let i = 0; i < order.length; i += 1) {
      const position = order[i] as number;
      const share = (weights[position] as number) / average;
      const jump = jumps[position] as number;
      let place = places[position] as number;
      for (let claims = Math.ceil(turn * share) - Math.ceil((turn - 1) * share); claims > 0; claims -= 1) {
        while (entries[place] !== FREE) {
          place += jump;
          if (place >= size) place -= size;
          looks += 1;
          if (looks % STEP_LOOKS === 0) yield;
        }
        entries[place] = position;
        free -= 1;
        if (free === 0) return entries;
      }
      places[position] = place;
      looks += 4;
    }
  }
}
