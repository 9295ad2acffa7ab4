/**
 * Places the points of all buckets on the ring: computes, sorts and removes duplicates.
 *
 * The points are those of nginx's `hash ... consistent`: each one is the CRC-32 of host, NUL, port and the previous
 * point as four bytes, lowest first, starting with zero.
 */
import { type KetamaBucket, splitAddress } from './bucket.ts';
import { addByte, addText, addUint32, CRC32_START } from './crc32.ts';

/** Parallel arrays in ascending order of hashes, no hash twice. */
export interface Points {
  readonly hashes: Uint32Array;
  /** Index of the bucket that each point belongs to. */
  readonly owners: Uint32Array;
}

/** 2^27 points take 1 GiB; more is a mistake in the weights. */
const MAX_POINTS = 2 ** 27;

/**
 * All points of the buckets. Where two buckets have the same hash, the one whose address sorts first (by UTF-16 code
 * units) keeps it, so the ring does not depend on the order of the buckets.
 * Throws RangeError when there would be more than 134,217,728 points.
 */
export function makePoints(buckets: readonly KetamaBucket[], pointsPerWeight: number, ipv6Brackets: boolean): Points {
  const total = buckets.reduce((sum, bucket) => sum + bucket.weight, 0) * pointsPerWeight;
  if (total > MAX_POINTS) {
    throw new RangeError(`a ring holds at most ${MAX_POINTS} points, these weights make ${total}: divide them`);
  }
  const hashes = new Uint32Array(total);
  const owners = new Uint32Array(total);
  let end = 0;
  for (const index of byAddress(buckets)) {
    const bucket = buckets[index] as KetamaBucket;
    const start = end;
    end += bucket.weight * pointsPerWeight;
    owners.fill(index, start, end);
    fillHashes(hashes.subarray(start, end), stateOf(bucket.address, ipv6Brackets));
  }
  return withoutDuplicates(sortByHash({ hashes, owners }));
}

function byAddress(buckets: readonly KetamaBucket[]): number[] {
  const addressOf = (index: number): string => (buckets[index] as KetamaBucket).address;
  return buckets
    .map((_, index) => index)
    .sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : addressOf(a) > addressOf(b) ? 1 : a - b));
}

function stateOf(address: string, ipv6Brackets: boolean): number {
  const { host, port } = splitAddress(address, ipv6Brackets);
  return addText(addByte(addText(CRC32_START, host), 0), port);
}

function fillHashes(hashes: Uint32Array, state: number): void {
  let hash = 0;
  for (let i = 0; i < hashes.length; i += 1) {
    hash = ~addUint32(state, hash);
    hashes[i] = hash;
  }
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Radix sort by three digits of 11 bits: stable, and linear in the number of points. */
function sortByHash(points: Points): Points {
  let from = points;
  let to: Points = { hashes: new Uint32Array(points.hashes.length), owners: new Uint32Array(points.owners.length) };
  const starts = new Uint32Array(DIGITS);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    countDigits(from.hashes, shift, starts);
    scatter(from, to, shift, starts);
    [from, to] = [to, from];
  }
  return from;
}

/** Leaves in `starts` where the first point of each digit belongs. */
function countDigits(hashes: Uint32Array, shift: number, starts: Uint32Array): void {
  starts.fill(0);
  for (let i = 0; i < hashes.length; i += 1) {
    const digit = ((hashes[i] as number) >>> shift) & (DIGITS - 1);
    starts[digit] = (starts[digit] as number) + 1;
  }
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const count = starts[digit] as number;
    starts[digit] = start;
    start += count;
  }
}

function scatter(from: Points, to: Points, shift: number, starts: Uint32Array): void {
  for (let i = 0; i < from.hashes.length; i += 1) {
    const hash = from.hashes[i] as number;
    const digit = (hash >>> shift) & (DIGITS - 1);
    const place = starts[digit] as number;
    starts[digit] = place + 1;
    to.hashes[place] = hash;
    to.owners[place] = from.owners[i] as number;
  }
}

/** Keeps the first of each run of equal hashes. */
function withoutDuplicates({ hashes, owners }: Points): Points {
  let kept = 0;
  for (let i = 0; i < hashes.length; i += 1) {
    if (kept > 0 && hashes[i] === hashes[kept - 1]) continue;
    hashes[kept] = hashes[i] as number;
    owners[kept] = owners[i] as number;
    kept += 1;
  }
  return kept === hashes.length ? { hashes, owners } : { hashes: hashes.slice(0, kept), owners: owners.slice(0, kept) };
}
