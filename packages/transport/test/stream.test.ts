/**
 * What a Stream promises, over every kind of transport.
 */
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Stream, StreamHandler } from '../src/index.ts';
import { PAIRS, type Pair } from './pairs.ts';

/** Writes down what a handler is told. */
class Log implements StreamHandler {
  readonly events: string[] = [];
  bytes = Buffer.alloc(0);
  onReadDo: ((chunk: Buffer) => void) | undefined;

  onRead(buffer: Buffer, length: number): void {
    if (this.events.at(-1) !== 'read') this.events.push('read');
    this.bytes = Buffer.concat([this.bytes, buffer.subarray(0, length)]);
    this.onReadDo?.(Buffer.from(buffer.subarray(0, length)));
  }
  onReadEnd(): void {
    this.events.push('end');
  }
  onDrain(): void {
    this.events.push('drain');
  }
  onClose(error: CirqueError | undefined): void {
    this.events.push(error === undefined ? 'close' : `close ${error.source} ${error.type}`);
  }
  count(event: string): number {
    return this.events.filter((one) => one.startsWith(event)).length;
  }
}

/** What the other end sees. */
function watch(peer: Duplex): { events: string[]; bytes: () => Buffer } {
  const events: string[] = [];
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  peer.on('end', () => events.push('end'));
  peer.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
  peer.on('close', () => events.push('close'));
  peer.resume();
  return { events, bytes: () => Buffer.concat(chunks) };
}

/** Enough turns for whatever is on its way over loopback; nothing is waited for by it, only ruled out. */
async function someTurns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

const until = { timeout: 5_000, interval: 2 };

describe.each(PAIRS)('Stream over %s', (kind, open) => {
  const hasReset = !kind.includes('unix') && !kind.includes('memory');
  let check: LeakCheck;
  let pair: Pair;
  let log: Log;
  let stream: Stream;
  let peer: Duplex;

  beforeEach(async () => {
    check = LeakCheck.start();
    pair = await open();
    ({ stream, peer } = pair);
    log = new Log();
  });
  afterEach(async () => {
    await pair.close();
    await check.assertClean();
  });

  test('Stream reads nothing before start, and loses nothing', async () => {
    peer.write('early');
    await someTurns();
    stream.start(log);
    await vi.waitFor(() => expect(log.bytes.toString()).toBe('early'), until);
  });

  test('Stream carries bytes both ways, and either side can end first', async () => {
    const other = watch(peer);
    stream.start(log);
    peer.end('ping');
    await vi.waitFor(() => expect(log.events).toEqual(['read', 'end']), until);
    expect(log.bytes.toString()).toBe('ping');
    stream.writeLatin1('p\xf6ng ');
    stream.write(Buffer.from([0, 255]));
    stream.writeSlice(Buffer.from('xxslicexx'), 2, 7, undefined);
    await someTurns();
    expect(other.events).toEqual([]);
    stream.end();
    await vi.waitFor(() => expect(other.events).toEqual(['end', 'close']), until);
    expect(other.bytes()).toEqual(Buffer.from('p\xf6ng \0\xffslice', 'latin1'));
    await vi.waitFor(() => expect(log.events).toEqual(['read', 'end', 'close']), until);
    expect(stream.destroyed).toBe(true);
  });

  test('Stream goes on reading after its own end', async () => {
    const other = watch(peer);
    stream.start(log);
    stream.end();
    await vi.waitFor(() => expect(other.events).toEqual(['end']), until);
    peer.end('still here');
    await vi.waitFor(() => expect(log.events).toEqual(['read', 'end', 'close']), until);
    expect(log.bytes.toString()).toBe('still here');
  });

  test('Stream closes once, with the first error it was given', async () => {
    const other = watch(peer);
    stream.start(log);
    stream.destroy(new CirqueError('ReadTimedout', 'too slow', { source: 'Downstream' }));
    stream.destroy(new CirqueError('InternalError'));
    stream.reset();
    stream.end();
    await vi.waitFor(() => expect(log.events).toEqual(['close Downstream ReadTimedout']), until);
    await vi.waitFor(() => expect(other.events).toContain('end'), until);
    await someTurns();
    expect(log.count('close')).toBe(1);
  });

  test('Stream closes without an error when none was given', async () => {
    stream.start(log);
    stream.destroy();
    await vi.waitFor(() => expect(log.events).toEqual(['close']), until);
  });

  test('Stream.reset closes at once, whatever waits to be written', async () => {
    const other = watch(peer);
    peer.pause();
    stream.start(log);
    while (stream.write(Buffer.alloc(65_536))) await someTurns();
    stream.write(Buffer.alloc(4_000_000));
    expect(stream.writePending).toBe(true);
    stream.reset(new CirqueError('WriteTimedout', '', { source: 'Downstream' }));
    await vi.waitFor(() => expect(log.events.at(-1)).toBe('close Downstream WriteTimedout'), until);
    peer.resume();
    // An end would make a cut message look complete, but where there is no reset nothing else can be said.
    const seen = hasReset ? ['error ECONNRESET', 'close'] : ['end'];
    await vi.waitFor(() => expect(other.events).toEqual(seen), until);
  });

  test('Stream.reset after end closes, and is not left open half-way', async () => {
    const other = watch(peer);
    stream.start(log);
    stream.end();
    stream.reset();
    await vi.waitFor(() => expect(log.events).toEqual(['close']), until);
    await vi.waitFor(() => expect(other.events[0]).toMatch(/^(end|error ECONNRESET)$/), until);
  });

  test('Stream.reset while an end waits behind unsent bytes takes the end back', async () => {
    const other = watch(peer);
    peer.pause();
    stream.start(log);
    while (stream.write(Buffer.alloc(65_536))) await someTurns();
    stream.end();
    stream.reset();
    await vi.waitFor(() => expect(log.events.at(-1)).toBe('close'), until);
    peer.resume();
    const seen = hasReset ? ['error ECONNRESET', 'close'] : ['end'];
    await vi.waitFor(() => expect(other.events).toEqual(seen), until);
  });

  test('Stream tells of a reset by the other side, once', async () => {
    if (kind.includes('unix')) return;
    stream.start(log);
    if ('resetAndDestroy' in peer) (peer as Duplex & { resetAndDestroy(): void }).resetAndDestroy();
    else peer.destroy(new Error('reset'));
    await vi.waitFor(() => expect(log.count('close')).toBe(1), until);
    expect(log.events.at(-1)).toBe(`close ${stream.side} ConnectionClosed`.replace('ConnectionClosed', 'ReadError'));
    await someTurns();
    expect(log.count('close')).toBe(1);
  });

  test('Stream tells who starts late what has happened', async () => {
    peer.end();
    stream.start(log);
    await vi.waitFor(() => expect(log.events).toEqual(['end']), until);
    const second = new Log();
    stream.start(second);
    expect(second.events).toEqual([]);
    await vi.waitFor(() => expect(second.events).toEqual(['end']), until);
    stream.destroy();
    await vi.waitFor(() => expect(second.events).toEqual(['end', 'close']), until);
    const third = new Log();
    stream.start(third);
    expect(third.events).toEqual([]);
    await vi.waitFor(() => expect(third.events).toEqual(['close']), until);
    await someTurns();
    expect([log.events, second.events, third.events]).toEqual([['end'], ['end', 'close'], ['close']]);
  });

  test('Stream closes before it was started without an uncaught error, and says so at the start', async () => {
    stream.destroy(new CirqueError('InternalError', 'refused'));
    await vi.waitFor(() => expect(stream.duplex.closed).toBe(true), until);
    await someTurns();
    stream.start(log);
    await vi.waitFor(() => expect(log.events).toEqual(['close Unset InternalError']), until);
  });

  test('Stream hands over to another handler in the middle', async () => {
    const second = new Log();
    log.onReadDo = () => stream.start(second);
    stream.start(log);
    peer.write('one');
    await vi.waitFor(() => expect(log.bytes.toString()).toBe('one'), until);
    peer.write('two');
    await vi.waitFor(() => expect(second.bytes.toString()).toBe('two'), until);
    expect(log.events).toEqual(['read']);
    peer.end();
    await vi.waitFor(() => expect(second.events).toEqual(['read', 'end']), until);
  });

  test('Stream reads nothing more after destroy, although more is there', async () => {
    log.onReadDo = () => stream.destroy();
    stream.start(log);
    for (let i = 0; i < 16; i += 1) peer.write(Buffer.alloc(65_536));
    await vi.waitFor(() => expect(log.count('close')).toBe(1), until);
    expect(log.bytes.length).toBeLessThanOrEqual(65_536);
    expect(log.count('read')).toBe(1);
  });

  test('Stream.pause stops reading; resume brings every byte in order', async () => {
    const sent = Buffer.alloc(3_000_000);
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(i, i);
    let paused = 0;
    log.onReadDo = () => {
      if (paused >= 20) return;
      paused += 1;
      stream.pause();
      const before = log.bytes.length;
      setImmediate(() => {
        // One read may have been under way.
        expect(log.bytes.length - before).toBeLessThanOrEqual(65_536);
        stream.resume();
      });
    };
    stream.start(log);
    for (let at = 0; at < sent.length; at += 60_000) peer.write(sent.subarray(at, at + 60_000));
    peer.end();
    await vi.waitFor(() => expect(log.count('end')).toBe(1), until);
    expect(log.bytes.equals(sent)).toBe(true);
    expect(paused).toBe(20);
  });

  test('Stream.pause holds for as long as it is not taken back, also right after start or resume', async () => {
    const sent = Buffer.alloc(3_000_000, 'x');
    stream.start(log);
    stream.pause();
    for (let at = 0; at < sent.length; at += 60_000) peer.write(sent.subarray(at, at + 60_000));
    for (let cycle = 1; cycle <= 5; cycle += 1) {
      await someTurns();
      expect(log.bytes.length).toBeLessThanOrEqual(cycle * 65_536);
      stream.resume();
      stream.pause();
    }
    stream.resume();
    await vi.waitFor(() => expect(log.bytes.length).toBe(sent.length), until);
  });

  test('Stream tells when it may write on', async () => {
    const other = watch(peer);
    peer.pause();
    stream.start(log);
    let total = 0;
    for (let more = true; more; total += 65_536) {
      more = stream.write(Buffer.alloc(65_536));
      if (more) await someTurns();
    }
    expect([stream.writePending, log.count('drain')]).toEqual([true, 0]);
    peer.resume();
    await vi.waitFor(() => expect(log.count('drain')).toBe(1), until);
    expect(stream.writePending).toBe(false);
    stream.end();
    await vi.waitFor(() => expect(other.events).toContain('end'), until);
    expect(other.bytes()).toHaveLength(total);
  });

  test('Stream.writeSlice copies what is not leased: the buffer may change at once', async () => {
    const other = watch(peer);
    peer.pause();
    stream.start(log);
    const sizes = [1, 100, 16_384, 16_385, 65_536, 131_072, 131_073, 300_000];
    const expected: Buffer[] = [];
    for (const [i, size] of sizes.entries()) {
      const buffer = Buffer.alloc(size + 2, 65 + i);
      expected.push(Buffer.alloc(size, 65 + i));
      stream.writeSlice(buffer, 1, size + 1, undefined);
      buffer.fill(0);
    }
    await someTurns();
    peer.resume();
    stream.end();
    await vi.waitFor(() => expect(other.events).toContain('end'), until);
    expect(other.bytes().equals(Buffer.concat(expected))).toBe(true);
  });

  test('Stream.digest says when and with whom', async () => {
    const { establishedAt, socket } = stream.digest;
    expect(Math.abs(Date.now() - establishedAt)).toBeLessThan(10_000);
    expect(socket.remoteAddress).toBe(hasReset ? '127.0.0.1' : undefined);
    expect(typeof socket.remotePort).toBe(hasReset ? 'number' : 'undefined');
    expect(stream.digest).toBe(stream.digest);
  });
});
