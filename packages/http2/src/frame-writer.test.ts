import { describe, expect, test } from 'vitest';
import { FrameWriter } from './frame-writer.ts';
import { CHUNK_BYTES, OutputChunk } from './output-chunk.ts';

/** A sink that keeps copies, with the buffers that it was lent. */
class Sink {
  readonly written: Buffer[] = [];
  readonly returns: (() => void)[] = [];
  more = true;
  write(bytes: Buffer, done: (() => void) | undefined): boolean {
    this.written.push(Buffer.from(bytes));
    if (done !== undefined) this.returns.push(done);
    return this.more;
  }
}

describe('FrameWriter', () => {
  test('writes what was collected at once, and nothing for nothing', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    writer.flush();
    writer.settings([3, 100]);
    writer.ping(-1n);
    writer.flush();
    writer.flush();
    expect(sink.written.map((bytes) => bytes.toString('hex'))).toEqual([
      '000006040000000000000300000064' + '0000080600' + '00000000' + 'ffffffffffffffff',
    ]);
  });

  test('lends a large buffer until the sink gives it back, once', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    const body = Buffer.alloc(16_384, 'a');
    writer.data(1, body, 0, body.length, false);
    const used = writer.buffer;
    writer.flush();
    expect(sink.returns).toHaveLength(1);
    const other = OutputChunk.take();
    expect(other.buffer).not.toBe(used);
    sink.returns[0]?.();
    sink.returns[0]?.();
    const [again, third] = [OutputChunk.take(), OutputChunk.take()];
    expect(again.buffer).toBe(used);
    expect(third.buffer).not.toBe(used);
    for (const chunk of [other, again, third]) chunk.release();
  });

  test('keeps no buffer when there is nothing to write', () => {
    const writer = new FrameWriter(new Sink());
    writer.settingsAck();
    expect(writer.buffer.length).toBe(CHUNK_BYTES);
    writer.flush();
    expect(writer.buffer.length).toBe(0);
  });

  test('hands over a full chunk by itself', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    const body = Buffer.alloc(16_384, 'a');
    for (let i = 0; i < 5; i++) writer.data(1, body, 0, body.length, false);
    expect(sink.written.map(({ length }) => length)).toEqual([4 * 16_393]);
    writer.flush();
    expect(sink.written.map(({ length }) => length)).toEqual([4 * 16_393, 16_393]);
  });

  test('puts pieces of a stream into one frame, up to its limit', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    const text = Buffer.from('abcdef');
    writer.data(1, text, 0, 2, false);
    writer.data(1, text, 2, 4, false);
    writer.data(3, text, 0, 1, false);
    writer.data(1, text, 4, 6, true);
    writer.data(1, text, 0, 1, false);
    writer.flush();
    expect(sink.written[0]?.toString('latin1')).toBe(
      '\0\0\x04\0\0\0\0\0\x01abcd\0\0\x01\0\0\0\0\0\x03a\0\0\x02\0\x01\0\0\0\x01ef\0\0\x01\0\0\0\0\0\x01a',
    );
    const large = Buffer.alloc(16_380);
    writer.data(1, large, 0, large.length, false);
    writer.data(1, text, 0, 5, false);
    writer.flush();
    expect(sink.written[1]?.length).toBe(9 + 16_380 + 9 + 5);
  });

  test('ends a stream on its last frame while that was not written', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    writer.data(1, Buffer.from('x'), 0, 1, false);
    writer.end(1);
    writer.data(3, Buffer.from('x'), 0, 1, false);
    writer.windowUpdate(0, 5);
    writer.end(3);
    writer.data(5, Buffer.from('x'), 0, 1, false);
    writer.flush();
    writer.end(5);
    writer.flush();
    expect(sink.written.map((bytes) => bytes.toString('hex'))).toEqual([
      '000001000100000001' +
        '78' +
        '000001000000000003' +
        '78' +
        '00000408000000000000000005' +
        '000000000100000003' +
        '000001000000000005' +
        '78',
      '000000000100000005',
    ]);
  });

  test('collects in a small buffer of its own while the sink is full', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    sink.more = false;
    writer.settingsAck();
    writer.flush();
    expect(writer.blocked).toBe(true);
    for (let i = 0; i < 100; i++) writer.reset(1, 8);
    expect(writer.buffer.length).toBeLessThan(4_000);
    expect(writer.controlBytes).toBe(1_300);
    writer.flush();
    expect(sink.written).toHaveLength(1);
    writer.blocked = false;
    writer.flush();
    expect(sink.written[1]?.length).toBe(1_300);
    expect(writer.controlBytes).toBe(0);
    expect(sink.returns).toEqual([]);
  });

  test('splits a block that is too long for one frame', () => {
    const sink = new Sink();
    const writer = new FrameWriter(sink);
    for (const bytes of [16_384, 16_385, 40_000, 100_000]) {
      const at = writer.beginHeaders(7, true);
      writer.reserve(bytes);
      for (let i = 0; i < bytes; i++) writer.buffer[writer.length++] = i % 251;
      writer.endHeaders(at);
      writer.flush();
      const out = sink.written.at(-1) as Buffer;
      const block: Buffer[] = [];
      const frames: string[] = [];
      for (let from = 0; from < out.length; ) {
        const length = out.readUIntBE(from, 3);
        frames.push(`${out[from + 3]} ${out[from + 4]} ${out.readUInt32BE(from + 5)}`);
        block.push(out.subarray(from + 9, from + 9 + length));
        from += 9 + length;
      }
      const whole = Buffer.concat(block);
      expect(whole.length).toBe(bytes);
      expect(whole.every((byte, i) => byte === i % 251)).toBe(true);
      expect(frames[0]).toBe(frames.length === 1 ? '1 5 7' : '1 1 7');
      expect(frames.slice(1)).toEqual(frames.slice(1).map((_, i, all) => `9 ${i === all.length - 1 ? 4 : 0} 7`));
      expect(frames).toHaveLength(Math.ceil(bytes / 16_384));
    }
  });
});
