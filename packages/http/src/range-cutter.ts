/**
 * Cuts the planned ranges out of a whole body that passes in pieces, and frames them where there are several.
 */
import { multipartEnd, partHead, type RangePlan } from './range.ts';
import type { ByteRange } from './range-set.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** See the file's head. One per response; not for the plan `whole`, which needs no cutting. */
export class RangeCutter {
  readonly #plan: RangePlan;
  readonly #ranges: readonly ByteRange[];
  /** Offset of the next byte within the whole body. */
  #at = 0;
  /** The range that is being sent or waited for. */
  #index = 0;

  constructor(plan: RangePlan) {
    this.#plan = plan;
    this.#ranges = plan.kind === 'multipart' ? plan.ranges : plan.kind === 'single' ? [plan.range] : [];
  }

  /** What of this piece of the whole body is to be sent; no bytes when it lies between ranges. */
  cut(piece: Buffer): Buffer {
    const from = this.#at;
    this.#at += piece.length;
    const out: Buffer[] = [];
    for (let range = this.#ranges[this.#index]; range !== undefined; range = this.#ranges[this.#index]) {
      if (range.start >= this.#at) break;
      if (range.start >= from) this.#frame(out, partHead);
      out.push(piece.subarray(Math.max(0, range.start - from), Math.min(piece.length, range.end - from)));
      if (range.end > this.#at) break;
      this.#index += 1;
      if (this.#index === this.#ranges.length) this.#frame(out, multipartEnd);
    }
    return out.length === 0 ? NOTHING : out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
  }

  #frame(out: Buffer[], text: typeof partHead): void {
    if (this.#plan.kind === 'multipart') out.push(Buffer.from(text(this.#plan, this.#index), 'latin1'));
  }
}
