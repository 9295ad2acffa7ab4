/** The simplest HpackOutput: grows exactly as far as it is asked to, so that a missing reservation shows. */
import type { HpackEncoder } from '../src/hpack/encoder.ts';
import type { HpackOutput } from '../src/hpack/hpack-output.ts';

export class GrowingOutput implements HpackOutput {
  buffer: Buffer = Buffer.alloc(0);
  length = 0;

  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.alloc(this.length + bytes);
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  take(): Buffer {
    if (this.length > this.buffer.length) throw new Error('the encoder wrote beyond what it reserved');
    const taken = this.buffer.subarray(0, this.length);
    this.buffer = Buffer.alloc(0);
    this.length = 0;
    return taken;
  }
}

export type Field = readonly [name: string, value: string, neverIndexed?: boolean];

/** One block. */
export function encodeBlock(encoder: HpackEncoder, fields: readonly Field[]): Buffer {
  const out = new GrowingOutput();
  encoder.begin(out);
  for (const [name, value, sensitive] of fields) encoder.field(name, value, sensitive ?? false);
  return out.take();
}
