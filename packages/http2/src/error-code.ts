/**
 * The error codes of HTTP/2 (RFC 9113 section 7). Peers may send others; they are plain numbers here.
 */

/** Codes of RST_STREAM and GOAWAY. */
export const ErrorCode: {
  readonly NO_ERROR: 0;
  readonly PROTOCOL_ERROR: 1;
  readonly INTERNAL_ERROR: 2;
  readonly FLOW_CONTROL_ERROR: 3;
  readonly SETTINGS_TIMEOUT: 4;
  readonly STREAM_CLOSED: 5;
  readonly FRAME_SIZE_ERROR: 6;
  readonly REFUSED_STREAM: 7;
  readonly CANCEL: 8;
  readonly COMPRESSION_ERROR: 9;
  readonly CONNECT_ERROR: 10;
  readonly ENHANCE_YOUR_CALM: 11;
  readonly INADEQUATE_SECURITY: 12;
  readonly HTTP_1_1_REQUIRED: 13;
} = {
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
};

const NAMES = Object.keys(ErrorCode);

/** `PROTOCOL_ERROR` for 1; `code 99` for one that RFC 9113 does not know. For messages and logs. */
export function errorCodeName(code: number): string {
  return NAMES[code] ?? `code ${code}`;
}
