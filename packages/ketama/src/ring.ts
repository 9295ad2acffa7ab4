/**
 * The consistent-hash ring: keys to buckets, so that adding or removing a bucket moves few keys.
 *
 * Maps exactly as nginx's `hash ... consistent` and Pingora's ketama do. Knows nothing about health: whoever has to skip
 * a bucket walks on clockwise (walk.ts).
 */
import { checkBucket, type KetamaBucket } from './bucket.ts';
import { crc32Signed } from './crc32.ts';
import { PointIndex } from './lookup.ts';
import { makePoints, type Points } from './points.ts';
import { runToEnd } from './steps.ts';
import { KetamaWalk } from './walk.ts';

/** How a ring is built. */
export interface KetamaOptions {
  /** Points per unit of weight, a positive integer. Default 160, which is nginx's; other values give other rings. */
  pointsPerWeight?: number | undefined;
  /**
   * Whether the brackets of `[::1]:80` are hashed. Default false, as in Pingora; nginx hashes the address as it is
   * written in its configuration, so `true` is needed to agree with an nginx that has IPv6 servers.
   */
  ipv6Brackets?: boolean | undefined;
}

/** So many are checked in one step. */
const STEP_BUCKETS = 2 ** 13;

/** An immutable ring. Looking up allocates nothing. */
export class KetamaRing {
  readonly #hashes: Uint32Array;
  readonly #owners: Uint32Array;
  readonly #index: PointIndex;

  /** How many buckets keys can be mapped to: all of them, unless two share an address or, in theory, all hashes. */
  readonly reachable: number;

  private constructor({ hashes, owners, reachable }: Points, index: PointIndex) {
    this.#hashes = hashes;
    this.#owners = owners;
    this.#index = index;
    this.reachable = reachable;
  }

  /**
   * Builds the ring of these buckets; none give an empty ring. The order of the buckets does not matter to where keys
   * go, only to the indexes. Of two buckets with the same address only the heavier one's surplus counts: merge them before.
   *
   * Throws TypeError for an address that is no text or empty, RangeError for a weight or a `pointsPerWeight` that is
   * not a positive integer, and when the ring would have more than 134,217,728 points.
   */
  static build(buckets: readonly KetamaBucket[], options: KetamaOptions = {}): KetamaRing {
    return runToEnd(KetamaRing.buildInSteps(buckets, options));
  }

  /**
   * As `build`, in steps of about a millisecond: the generator yields between them, and returns the ring. For large rings in
   * a process that has other things to do. What it throws is thrown by one of the first calls of `next`. The buckets must not change meanwhile.
   */
  static *buildInSteps(
    buckets: readonly KetamaBucket[],
    options: KetamaOptions = {},
  ): Generator<undefined, KetamaRing, undefined> {
    const { pointsPerWeight = 160, ipv6Brackets = false } = options;
    if (!Number.isSafeInteger(pointsPerWeight) || pointsPerWeight < 1) {
      throw new RangeError(`pointsPerWeight must be a positive integer, got ${String(pointsPerWeight)}`);
    }
    for (let i = 0; i < buckets.length; i += 1) {
      if (i > 0 && i % STEP_BUCKETS === 0) yield;
      checkBucket(buckets[i] as KetamaBucket, i);
    }
    const points = yield* makePoints(buckets, pointsPerWeight, ipv6Brackets);
    return new KetamaRing(points, yield* PointIndex.steps(points.hashes));
  }

  /** How many points the ring has; 0 when it was built of no buckets. */
  get size(): number {
    return this.#hashes.length;
  }

  /** Index of the bucket that the key (text in its UTF-8 form) belongs to; -1 when the ring is empty. */
  lookup(key: string | Uint8Array): number {
    return this.bucketAt(this.#index.find(crc32Signed(key)));
  }

  /**
   * Position of the first point clockwise from a 32-bit hash, itself included; behind the last point it is that of the
   * first. -1 when the ring is empty.
   */
  indexOf(hash: number): number {
    const size = this.#hashes.length;
    if (size === 0) return -1;
    const position = this.#index.find(hash);
    return position === size ? 0 : position;
  }

  /** Index of the bucket that owns the point at a position, counted around the ring; -1 when the ring is empty. */
  bucketAt(position: number): number {
    const size = this.#owners.length;
    if (size === 0) return -1;
    return this.#owners[position < size ? position : position % size] as number;
  }

  /** A walk around the ring that starts at the key's bucket. Keep it and `start` it again to walk without allocating. */
  walk(key: string | Uint8Array): KetamaWalk {
    return new KetamaWalk(this).start(key);
  }

  /** The buckets in the order in which a key falls back on them: clockwise, each one once, first the key's own. */
  *walkDistinct(key: string | Uint8Array): Generator<number, void, undefined> {
    const seen = new Set<number>();
    const walk = this.walk(key);
    for (let step = 0; step < this.size; step += 1) {
      const bucket = walk.next();
      if (seen.has(bucket)) continue;
      seen.add(bucket);
      yield bucket;
    }
  }
}
