/**
 * Frames of HTTP/2 as octets (RFC 9113 sections 4 and 6). Well-formed ones have a function each; `frame` makes any other.
 */

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 0x1, ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
} as const;

export const MAX_WINDOW = 0x7fffffff;
export const DEFAULT_WINDOW = 65_535;
export const DEFAULT_FRAME_SIZE = 16_384;
export const FRAME_HEAD_BYTES = 9;

export interface H2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const NOTHING: Buffer = Buffer.alloc(0);

function bytesOf(content: Buffer | string): Buffer {
  return typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * at);
  return bytes;
}

/** Any frame. `length` overrides what the length field says. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  content: Buffer | string = NOTHING,
  length?: number,
): Buffer {
  const payload = bytesOf(content);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(length ?? payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export function data(stream: number, content: Buffer | string, flags: number = 0): Buffer {
  return frame(FrameType.DATA, flags, stream, content);
}

/** A whole block in one HEADERS frame unless `flags` lacks END_HEADERS. */
export function headers(stream: number, block: Buffer, flags: number = Flag.END_HEADERS): Buffer {
  return frame(FrameType.HEADERS, flags, stream, block);
}

export function continuation(stream: number, block: Buffer, flags: number = Flag.END_HEADERS): Buffer {
  return frame(FrameType.CONTINUATION, flags, stream, block);
}

/** `weight` from 1 to 256, as the RFC counts. */
export function priorityFields(dependsOn: number, weight: number = 16, exclusive: boolean = false): Buffer {
  return Buffer.concat([uint32(dependsOn | (exclusive ? 0x80000000 : 0)), Buffer.from([weight - 1])]);
}

export function priority(stream: number, dependsOn: number = 0, weight: number = 16): Buffer {
  return frame(FrameType.PRIORITY, 0, stream, priorityFields(dependsOn, weight));
}

export function rstStream(stream: number, code: number = Code.CANCEL): Buffer {
  return frame(FrameType.RST_STREAM, 0, stream, uint32(code));
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.concat(
    pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)])),
  );
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export function settingsAck(): Buffer {
  return frame(FrameType.SETTINGS, Flag.ACK, 0);
}

export function pushPromise(stream: number, promised: number, block: Buffer): Buffer {
  return frame(FrameType.PUSH_PROMISE, Flag.END_HEADERS, stream, Buffer.concat([uint32(promised), block]));
}

export function ping(content: Buffer | string, flags: number = 0): Buffer {
  return frame(FrameType.PING, flags, 0, content);
}

export function goaway(lastStream: number, code: number = Code.NO_ERROR, debug: string = ''): Buffer {
  return frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(lastStream, code), bytesOf(debug)]));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(FrameType.WINDOW_UPDATE, 0, stream, uint32(increment));
}

/** A payload with its pad length field and padding; the frame needs the PADDED flag. */
export function padded(content: Buffer | string, padding: number): Buffer {
  return Buffer.concat([Buffer.from([padding]), bytesOf(content), Buffer.alloc(padding)]);
}

/** How error messages name a frame. */
export function describeFrame({ type, flags, stream, payload }: H2Frame): string {
  const name = Object.entries(FrameType).find(([, value]) => value === type)?.[0] ?? `type ${type}`;
  const codeAt = type === FrameType.RST_STREAM ? 0 : type === FrameType.GOAWAY ? 4 : -1;
  const code = codeAt < 0 || payload.length < codeAt + 4 ? undefined : payload.readUInt32BE(codeAt);
  const codeName = Object.entries(Code).find(([, value]) => value === code)?.[0];
  const detail = code === undefined ? '' : ` ${codeName ?? code}`;
  return `${name}${detail} stream ${stream} flags ${flags} length ${payload.length}`;
}
