/** Frames on a raw socket, as little as the tests need to talk to a real HTTP/2 peer. */
import type { Socket } from 'node:net';

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const HEADERS_FRAME = 1;
export const SETTINGS_FRAME = 4;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** The frames that arrive, until the socket ends; `skip` octets come first. */
export async function* frames(socket: Socket, skip = 0): AsyncGenerator<RawFrame> {
  let held = Buffer.alloc(0);
  let toSkip = skip;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    if (held.length < toSkip) continue;
    held = held.subarray(toSkip);
    toSkip = 0;
    while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
      const end = 9 + held.readUIntBE(0, 3);
      yield {
        type: held.readUInt8(3),
        flags: held.readUInt8(4),
        streamId: held.readUInt32BE(5) & 0x7fffffff,
        payload: held.subarray(9, end),
      };
      held = held.subarray(end);
    }
  }
}
