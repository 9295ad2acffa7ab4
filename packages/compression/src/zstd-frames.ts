/**
 * Finds where the frames of a zstd body end (RFC 8878 section 3.1), without decoding them.
 *
 * Node's decoder stops behind the first frame of a write, and before Node 24 takes a body that was cut for a complete one.
 */
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** More frames than that in one body are meant to cost, not to compress. */
const MAX_FRAMES = 1_000;

/** What the next bytes that are looked at say; how many there are is in `SIZES`. */
type Part = 'magic' | 'descriptor' | 'block' | 'skippableSize';
const SIZES: Readonly<Record<Part, number>> = { magic: 4, descriptor: 1, block: 3, skippableSize: 4 };

/** Follows one body. */
export class ZstdFrames {
  #part: Part = 'magic';
  /** Bytes of the part so far, as a little-endian number, and their count. */
  #value = 0;
  #have = 0;
  /** Bytes to pass over before the next part. */
  #skip = 0;
  #checksumBytes = 0;
  #count = 0;

  /** True at the end of a frame: the body may end here. */
  get complete(): boolean {
    return this.#part === 'magic' && this.#have === 0 && this.#skip === 0;
  }

  /** Cuts a piece behind every frame that ends in it. @throws Error when this is no zstd, or has too many frames. */
  split(piece: Buffer): Buffer[] {
    const slices: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < piece.length; ) {
      at = this.#advance(piece, at);
      if (!this.complete) continue;
      slices.push(piece.subarray(start, at));
      start = at;
      this.#count += 1;
      if (this.#count > MAX_FRAMES) throw new Error(`more than ${MAX_FRAMES} frames`);
    }
    if (start < piece.length) slices.push(piece.subarray(start));
    return slices;
  }

  /** Takes one byte of a part, or passes over what needs no look; answers where to go on. */
  #advance(piece: Buffer, at: number): number {
    if (this.#skip > 0) {
      const passed = Math.min(this.#skip, piece.length - at);
      this.#skip -= passed;
      return at + passed;
    }
    this.#value += (piece[at] as number) * 2 ** (8 * this.#have);
    this.#have += 1;
    if (this.#have === SIZES[this.#part]) {
      const value = this.#value;
      this.#value = 0;
      this.#have = 0;
      this.#read(value);
    }
    return at + 1;
  }

  #read(value: number): void {
    switch (this.#part) {
      case 'magic':
        this.#readMagic(value);
        break;
      case 'descriptor':
        this.#readDescriptor(value);
        break;
      case 'block':
        this.#readBlock(value);
        break;
      case 'skippableSize':
        this.#skip = value;
        this.#part = 'magic';
        break;
    }
  }

  #readMagic(value: number): void {
    if (value === MAGIC) this.#part = 'descriptor';
    else if (value - (value % 16) === SKIPPABLE_MAGIC) this.#part = 'skippableSize';
    else throw new Error('unknown frame magic');
  }

  /** Frame_Header_Descriptor: it tells how long the rest of the frame header is. */
  #readDescriptor(value: number): void {
    const singleSegment = (value & 0x20) !== 0;
    const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][value >> 6] as number;
    const dictionaryId = [0, 1, 2, 4][value & 3] as number;
    this.#checksumBytes = (value & 4) === 0 ? 0 : 4;
    this.#skip = (singleSegment ? 0 : 1) + dictionaryId + contentSize;
    this.#part = 'block';
  }

  /** Block_Header: last block, type, size. */
  #readBlock(value: number): void {
    const type = (value >> 1) & 3;
    if (type === 3) throw new Error('reserved block type');
    this.#skip = type === 1 ? 1 : value >> 3;
    if ((value & 1) === 0) return;
    this.#skip += this.#checksumBytes;
    this.#part = 'magic';
  }
}
