/**
 * Numbers of the frame layer (RFC 9113 sections 4.1 and 6).
 */

/** What a client sends before its first frame (RFC 9113 section 3.4). */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FRAME_HEADER_BYTES = 9;
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;
export const MIN_MAX_FRAME_SIZE = 16_384;
export const MAX_MAX_FRAME_SIZE = 16_777_215;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const FLAG_END_STREAM = 0x1;
export const FLAG_ACK = 0x1;
export const FLAG_END_HEADERS = 0x4;
export const FLAG_PADDED = 0x8;
export const FLAG_PRIORITY = 0x20;

/** Why a frame of that type cannot have that length; undefined when it can. PRIORITY concerns its stream only. */
export function lengthProblem(type: number, flags: number, length: number): string | undefined {
  const padded = (flags & FLAG_PADDED) !== 0 ? 1 : 0;
  switch (type) {
    case DATA:
      return length < padded ? 'a padded DATA frame without a pad length' : undefined;
    case HEADERS:
      return length < padded + ((flags & FLAG_PRIORITY) !== 0 ? 5 : 0)
        ? 'a HEADERS frame that is too short'
        : undefined;
    case SETTINGS:
      if ((flags & FLAG_ACK) !== 0) return length === 0 ? undefined : 'an acknowledgement of SETTINGS with a payload';
      return length % 6 === 0 ? undefined : `a SETTINGS frame of ${length} bytes`;
    case RST_STREAM:
    case WINDOW_UPDATE:
      return length === 4 ? undefined : `a frame of type ${type} with ${length} bytes instead of 4`;
    case PING:
      return length === 8 ? undefined : `a PING frame of ${length} bytes`;
    case GOAWAY:
      return length >= 8 ? undefined : `a GOAWAY frame of ${length} bytes`;
    default:
      return undefined;
  }
}
