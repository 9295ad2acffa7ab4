/**
 * Places the points of all buckets on the ring: computes, sorts and removes duplicates, in steps.
 *
 * The points are those of nginx's `hash ... consistent`: each one is the CRC-32 of host, NUL, port and the previous
 * point as four bytes, lowest first, starting with zero. They are computed twice, first to count how many begin with
 * the same bits, then to put them next to each other; what is left is sorting many short stretches (sort-stretch.ts). So a ring takes
 * no more memory while it is built than when it is done.
 */
import { type KetamaBucket, splitAddress } from './bucket.ts';
import { addByte, addText, addUint32, CRC32_START } from './crc32.ts';
import { StretchSorter } from './sort-stretch.ts';
import type { Steps } from './steps.ts';

/** Parallel arrays in ascending order of hashes, no hash twice. */
export interface Points {
  readonly hashes: Uint32Array;
  /** Index of the bucket that each point belongs to. */
  readonly owners: Uint32Array;
  /** How many buckets have a point: all of them, unless every point of one was a duplicate. */
  readonly reachable: number;
}

/** 2^27 points take 1 GiB; more is a mistake in the weights. */
const MAX_POINTS = 2 ** 27;
/** Less than a millisecond's work, but for the first ones to be placed, for which the system has to find the memory. */
const STEP_POINTS = 2 ** 12;
const STEP_BUCKETS = 2 ** 10;
/** Long enough for radix sort, short enough for the processor's caches. */
const STRETCH_POINTS = 2 ** 11;
const MAX_STRETCH_BITS = 16;

/**
 * All points of the buckets. Where two buckets have the same hash, the one whose address sorts first (by UTF-16 code
 * units) keeps it, so the ring does not depend on the order of the buckets.
 * Throws RangeError when there would be more than 134,217,728 points.
 */
export function* makePoints(
  buckets: readonly KetamaBucket[],
  pointsPerWeight: number,
  ipv6Brackets: boolean,
): Steps<Points> {
  const total = buckets.reduce((sum, bucket) => sum + bucket.weight, 0) * pointsPerWeight;
  if (total > MAX_POINTS) {
    throw new RangeError(`a ring holds at most ${MAX_POINTS} points, these weights make ${total}: divide them`);
  }
  const states = yield* statesOf(buckets, ipv6Brackets);
  const bits = Math.min(MAX_STRETCH_BITS, Math.max(0, Math.ceil(Math.log2(total / STRETCH_POINTS))));
  const ends = new Uint32Array(2 ** bits);
  const points = { hashes: new Uint32Array(total), owners: new Uint32Array(total) };
  yield* eachPoint(buckets, states, pointsPerWeight, (hash) => {
    const stretch = bits === 0 ? 0 : hash >>> (32 - bits);
    ends[stretch] = (ends[stretch] as number) + 1;
  });
  sumUp(ends);
  yield* eachPoint(buckets, states, pointsPerWeight, (hash, owner) => {
    const stretch = bits === 0 ? 0 : hash >>> (32 - bits);
    const place = ends[stretch] as number;
    ends[stretch] = place + 1;
    points.hashes[place] = hash;
    points.owners[place] = owner;
  });
  yield* sortStretches(points, ends, 32 - bits);
  return yield* withoutDuplicates(points, buckets);
}

/** The checksum of each bucket's address: what all of its points begin with. */
function* statesOf(buckets: readonly KetamaBucket[], ipv6Brackets: boolean): Steps<Int32Array> {
  const states = new Int32Array(buckets.length);
  for (let i = 0; i < buckets.length; i += 1) {
    if (i % STEP_BUCKETS === 0) yield;
    const { host, port } = splitAddress((buckets[i] as KetamaBucket).address, ipv6Brackets);
    states[i] = addText(addByte(addText(CRC32_START, host), 0), port);
  }
  return states;
}

/** Computes the points in the order of the buckets. */
function* eachPoint(
  buckets: readonly KetamaBucket[],
  states: Int32Array,
  pointsPerWeight: number,
  use: (hash: number, owner: number) => void,
): Steps<void> {
  let work = 0;
  for (let owner = 0; owner < buckets.length; owner += 1) {
    const state = states[owner] as number;
    const count = (buckets[owner] as KetamaBucket).weight * pointsPerWeight;
    let hash = 0;
    for (let i = 0; i < count; i += 1) {
      hash = ~addUint32(state, hash);
      use(hash, owner);
      work += 1;
      if (work % STEP_POINTS === 0) yield;
    }
  }
}

/** Turns lengths into beginnings, which filling then moves on to the ends. */
function sumUp(lengths: Uint32Array): void {
  let start = 0;
  for (let i = 0; i < lengths.length; i += 1) {
    const length = lengths[i] as number;
    lengths[i] = start;
    start += length;
  }
}

function* sortStretches(
  { hashes, owners }: Pick<Points, 'hashes' | 'owners'>,
  ends: Uint32Array,
  bits: number,
): Steps<void> {
  const sorter = new StretchSorter();
  let work = 0;
  for (let stretch = 0, start = 0; stretch < ends.length; stretch += 1) {
    const end = ends[stretch] as number;
    yield* sorter.sort(hashes.subarray(start, end), owners.subarray(start, end), bits);
    work += end - start;
    start = end;
    if (work < STEP_POINTS) continue;
    work = 0;
    yield;
  }
}

/** Keeps one of each run of equal hashes. Works in place; what is left over at the end stays unused. */
function* withoutDuplicates(
  { hashes, owners }: Pick<Points, 'hashes' | 'owners'>,
  buckets: readonly KetamaBucket[],
): Steps<Points> {
  const isSeen = new Uint8Array(buckets.length);
  let reachable = 0;
  let kept = 0;
  for (let i = 0; i < hashes.length; ) {
    const hash = hashes[i] as number;
    let owner = owners[i] as number;
    for (i += 1; i < hashes.length && hashes[i] === hash; i += 1)
      owner = preferred(buckets, owner, owners[i] as number);
    hashes[kept] = hash;
    owners[kept] = owner;
    kept += 1;
    reachable += isSeen[owner] === 0 ? 1 : 0;
    isSeen[owner] = 1;
    if (kept % STEP_POINTS === 0) yield;
  }
  return { hashes: hashes.subarray(0, kept), owners: owners.subarray(0, kept), reachable };
}

/** Of two buckets the one whose address sorts first; of the same address the one that stands first. */
function preferred(buckets: readonly KetamaBucket[], a: number, b: number): number {
  const one = (buckets[a] as KetamaBucket).address;
  const other = (buckets[b] as KetamaBucket).address;
  if (one === other) return Math.min(a, b);
  return one < other ? a : b;
}
