/**
 * Connections that write as fast as they may, to an upstream that sends everything back.
 */
import { connect } from 'node:net';
import type { LoadReport } from './load-script.ts';
import { Tally } from './tally.ts';

export interface BulkLoad {
  readonly port: number;
  readonly clients: number;
  readonly durationMs: number;
  readonly writeBytes: number;
}

/** Megabytes, both ways counted. A connection that loses bytes is an error. */
export async function loadBulk({ port, clients, durationMs, writeBytes }: BulkLoad): Promise<LoadReport> {
  const tally = new Tally();
  const end = performance.now() + durationMs;
  const block = Buffer.alloc(writeBytes, 'b');
  await Promise.all(Array.from({ length: clients }, () => oneConnection(port, block, end, tally)));
  return { ...tally.report(tally.bytes / 1e6) };
}

function oneConnection(port: number, block: Buffer, end: number, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let received = 0;
    // Read into one buffer: what arrives is counted, and nobody wants it.
    const onread = {
      buffer: Buffer.allocUnsafe(262_144),
      callback(bytes: number): boolean {
        received += bytes;
        return true;
      },
    };
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread });
    const pump = (): void => {
      while (sent === 0 || performance.now() < end) {
        sent += block.length;
        if (!socket.write(block)) return;
      }
      socket.off('drain', pump).end();
    };
    socket.once('connect', pump);
    socket.on('drain', pump);
    socket.on('error', () => {
      tally.errors += 1;
    });
    socket.once('close', () => {
      if (received !== sent) tally.errors += 1;
      tally.bytes += sent + received;
      resolve();
    });
  });
}
