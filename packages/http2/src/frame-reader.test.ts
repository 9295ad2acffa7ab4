import { byteByByte, cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { PREFACE } from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

function frame(type: number, flags: number, id: number, payload: string): Buffer {
  const header = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, id]);
  header.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([header, Buffer.from(payload, 'latin1')]);
}

class Log implements FrameSink {
  readonly lines: string[] = [];
  reader = new FrameReader(this, 16_384, false);
  #data = '';
  #padding = 0;

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    this.lines.push(`${type} ${flags} ${id} ${buffer.toString('latin1', start, end)}`);
    if (this.lines.at(-1)?.endsWith('stop')) this.reader.stop();
  }
  onDataStart(flags: number, id: number, length: number): void {
    this.#data = '';
    this.#padding = 0;
    this.lines.push(`data ${flags} ${id} ${length}`);
  }
  onDataPiece(buffer: Buffer, start: number, end: number): void {
    expect(end).toBeGreaterThan(start);
    this.#data += buffer.toString('latin1', start, end);
  }
  onDataPadding(bytes: number): void {
    this.#padding += bytes;
  }
  onDataEnd(): void {
    this.lines.push(`end ${this.#data} ${this.#padding}`);
  }
  onUnknownFrame(): void {
    this.lines.push('unknown');
  }
  onFrameError(code: number, message: string): void {
    this.lines.push(`error ${code} ${message}`);
  }
}

function read(chunks: Buffer[], log: Log = new Log()): string[] {
  for (const chunk of chunks) {
    const copy = Buffer.concat([Buffer.from('?'), chunk, Buffer.from('?')]);
    log.reader.feed(copy, 1, copy.length - 1);
    copy.fill(0);
  }
  return log.lines;
}

describe('FrameReader', () => {
  const bytes = Buffer.concat([
    frame(6, 0, 0, '12345678'),
    frame(4, 1, 0, ''),
    frame(0, 1, 3, 'hello'),
    frame(0, 8, 3, '\x02ab\0\0'),
    frame(0, 8, 3, '\0'),
    frame(0, 0, 3, ''),
    frame(42, 0, 0, 'ignored'),
    frame(43, 0, 0, ''),
    frame(1, 4, 5, 'x'.repeat(300)),
  ]);
  const lines = [
    '6 0 0 12345678',
    '4 1 0 ',
    'data 1 3 5',
    'end hello 0',
    'data 8 3 5',
    'end ab 3',
    'data 8 3 1',
    'end  1',
    'data 0 3 0',
    'end  0',
    'unknown',
    'unknown',
    `1 4 5 ${'x'.repeat(300)}`,
  ];

  test('finds the same frames however they are cut', () => {
    expect(read([bytes])).toEqual(lines);
    expect(read(byteByByte(bytes))).toEqual(lines);
    for (let seed = 1; seed < 20; seed++) expect(read(cutAtRandom(bytes, seed))).toEqual(lines);
  });

  test('takes the preface of a client first', () => {
    for (const chunks of [[PREFACE, bytes], byteByByte(Buffer.concat([PREFACE, bytes]))]) {
      const log = new Log();
      log.reader = new FrameReader(log, 16_384, true);
      expect(read(chunks, log)).toEqual(lines);
    }
  });

  test('refuses a frame by its header, before anything is kept', () => {
    expect(read([frame(1, 0, 1, 'x'.repeat(16_385)).subarray(0, 9)])).toEqual([
      'error 6 a frame of 16385 bytes, at most 16384 are accepted',
    ]);
    expect(read([frame(6, 0, 0, 'x'.repeat(9)).subarray(0, 9)])).toEqual(['error 6 a PING frame of 9 bytes']);
  });

  test('numbers the frame that is not whole, DATA apart', () => {
    const { reader } = new Log();
    const feed = (chunk: Buffer): number => {
      reader.feed(chunk, 0, chunk.length);
      return reader.unfinished;
    };
    const [ping, data, unknown] = [frame(6, 0, 0, '12345678'), frame(0, 0, 1, 'hello'), frame(42, 0, 0, 'ignored')];
    expect([feed(ping.subarray(0, 3)), feed(ping.subarray(3, 9)), feed(ping.subarray(9, 10))]).toEqual([1, 1, 1]);
    // The end of one and the beginning of the next: another number.
    expect(feed(Buffer.concat([ping.subarray(10), ping.subarray(0, 12)]))).toBe(2);
    expect(feed(ping.subarray(12))).toBe(0);
    expect([feed(data.subarray(0, 11)), feed(data.subarray(11))]).toEqual([0, 0]);
    expect([feed(unknown.subarray(0, 11)), feed(unknown.subarray(11))]).toEqual([4, 0]);
  });

  test('reads nothing after it was stopped', () => {
    expect(read([Buffer.concat([frame(7, 0, 0, '12345678 stop'), bytes]), bytes])).toEqual(['7 0 0 12345678 stop']);
  });
});
