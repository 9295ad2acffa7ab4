/**
 * An HTTP/2 client that sends the frames it is told to, and shows those that come back.
 */
import type { RawClient } from '@cirque/testing';

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** The bytes of a frame. */
export function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals that are not indexed (RFC 7541 section 6.2.2), each shorter than 127 bytes. */
export function block(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer[] => [Buffer.from([value.length]), Buffer.from(value, 'latin1')];
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), ...text(name), ...text(value)]),
  );
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** See the file's head. */
export class RawHttp2 {
  readonly client: RawClient;

  constructor(client: RawClient) {
    this.client = client;
  }

  send(...frames: readonly (Buffer | string)[]): Promise<void> {
    return this.client.send(Buffer.concat(frames.map((bytes) => Buffer.from(bytes as string, 'latin1'))));
  }

  /** Preface and SETTINGS; an acknowledgement of the server's unless `acknowledge` is false. */
  async begin(settings: Buffer = Buffer.alloc(0), acknowledge = true): Promise<void> {
    await this.send(PREFACE, frame(SETTINGS, 0, 0, settings));
    if (acknowledge) await this.send(frame(SETTINGS, ACK, 0));
  }

  /** A request head; a GET without body unless `fields` and `flags` say something else. */
  request(id: number, fields: Readonly<Record<string, string>> = {}, flags: number = END_HEADERS | END_STREAM): Buffer {
    const head = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'a', ...fields };
    return frame(HEADERS, flags, id, block(head));
  }

  /** All whole frames so far. */
  get frames(): Frame[] {
    const bytes = this.client.received;
    const frames: Frame[] = [];
    for (let at = 0; at + 9 <= bytes.length; ) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      frames.push({
        type: bytes[at + 3] as number,
        flags: bytes[at + 4] as number,
        id: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: Buffer.from(bytes.subarray(at + 9, end)),
      });
      at = end;
    }
    return frames;
  }

  of(type: number): Frame[] {
    return this.frames.filter((one) => one.type === type);
  }

  /** Error codes of the RST_STREAM frames, each with its stream. */
  get resets(): string[] {
    return this.of(RST_STREAM).map(({ id, payload }) => `${id}: ${payload.readUInt32BE(0)}`);
  }

  /** Last stream and error code of the GOAWAY frames. */
  get goaways(): string[] {
    return this.of(GOAWAY).map(({ payload }) => `${payload.readUInt32BE(0)}: ${payload.readUInt32BE(4)}`);
  }
}
