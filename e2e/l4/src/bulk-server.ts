/**
 * Bulk both ways at a time. The server sends as many bytes as the first eight of the client say, reads until the client has ended its
 * half, and then, over the half that is still open, says by SHA-256 what it has got.
 */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';

const HEAD_BYTES = 8;
const DIGEST_BYTES = 32;
/** Not a divisor of anything that a relay is likely to have. */
const CHUNK_BYTES = 1_000_003;

/** What one connection has carried. */
export interface BulkResult {
  readonly sent: string;
  /** What the server says that it got. */
  readonly received: string;
  readonly expectedDown: string;
  readonly down: string;
  readonly downBytes: number;
}

/** Chunks that differ from each other, with the sum over them. */
async function pour(socket: Socket, bytes: number, seed: number, hash: Hash): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0; at < CHUNK_BYTES; at += 1) chunk[at] = (at * 31 + seed) % 251;
  for (let sent = 0; sent < bytes; sent += CHUNK_BYTES) {
    const part = Buffer.from(chunk.subarray(0, Math.min(CHUNK_BYTES, bytes - sent)));
    if (part.length >= HEAD_BYTES) part.writeDoubleLE(sent);
    hash.update(part);
    if (!socket.write(part)) await once(socket, 'drain');
  }
}

/** The connection of a server; `allowHalfOpen` must be set. */
export function serveBulk(socket: Socket): void {
  const got = createHash('sha256');
  let head = Buffer.alloc(0);
  let poured: Promise<void> | undefined;
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    let rest = bytes;
    if (poured === undefined) {
      head = Buffer.concat([head, bytes]);
      if (head.length < HEAD_BYTES) return;
      rest = head.subarray(HEAD_BYTES);
      poured = pour(socket, head.readDoubleLE(), 2, createHash('sha256'));
    }
    got.update(rest);
  });
  socket.on('end', () => {
    const say = (): void => void socket.end(got.digest());
    poured?.then(say, () => socket.destroy());
  });
}

/** The client's side of it. */
export async function bulk(socket: Socket, upBytes: number, downBytes: number): Promise<BulkResult> {
  const [up, down, expectedDown] = [createHash('sha256'), createHash('sha256'), createHash('sha256')];
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeDoubleLE(downBytes);
  const writing = (async (): Promise<void> => {
    socket.write(head);
    await pour(socket, upBytes, 1, up);
    socket.end();
  })();
  let trailer = Buffer.alloc(0);
  let read = 0;
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    const rest = Math.max(0, Math.min(bytes.length, downBytes - read));
    down.update(bytes.subarray(0, rest));
    trailer = Buffer.concat([trailer, bytes.subarray(rest)]);
    read += rest;
  }
  await writing;
  await pour({ write: () => true } as unknown as Socket, downBytes, 2, expectedDown);
  if (trailer.length !== DIGEST_BYTES) throw new Error(`${trailer.length} bytes came after ${read} of ${downBytes}`);
  const hex = (hash: Hash): string => hash.digest('hex');
  return {
    sent: hex(up),
    received: trailer.toString('hex'),
    expectedDown: hex(expectedDown),
    down: hex(down),
    downBytes: read,
  };
}
