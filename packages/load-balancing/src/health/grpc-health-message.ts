/**
 * The two messages of gRPC's health checking protocol, in their frames.
 *
 * Sources: grpc.health.v1 (health.proto), the wire format of Protocol Buffers, "gRPC over HTTP/2". Each message has one
 * field, so that no library is needed.
 */

/** The states of a service, by number. */
export const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** Flag and length in front of each message. */
const FRAME_HEAD_BYTES = 5;
/** Field 1, length-delimited. */
const SERVICE_TAG = 0x0a;

/** A HealthCheckRequest for the service; for an empty name, the server as a whole. */
export function encodeCheckRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG), varint(name.length), name]);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * The state in the one HealthCheckResponse that a body holds. Fields that we do not know are skipped.
 * Throws RangeError for what is none.
 */
export function decodeCheckResponse(body: Buffer): (typeof SERVING_STATUS)[number] {
  if (body.length < FRAME_HEAD_BYTES) throw new RangeError(`a message of ${body.length} bytes is cut off`);
  if (body[0] !== 0) throw new RangeError('the message is compressed, though nobody asked for that');
  const length = body.readUInt32BE(1);
  if (body.length !== FRAME_HEAD_BYTES + length) {
    throw new RangeError(`expected one message of ${length} bytes, got ${body.length - FRAME_HEAD_BYTES}`);
  }
  const number = readStatus(body.subarray(FRAME_HEAD_BYTES));
  return SERVING_STATUS[number] ?? 'UNKNOWN';
}

/** Field 1, an enumeration; 0 when it is not there. The last one counts. */
function readStatus(message: Buffer): number {
  let status = 0;
  for (let at = 0; at < message.length; ) {
    const [tag, afterTag] = readVarint(message, at);
    const [value, afterValue] = readField(message, afterTag, tag & 7);
    if (tag === 0x08) status = value;
    at = afterValue;
  }
  return status;
}

/** The value of a varint, else 0, and where the field ends. */
function readField(message: Buffer, at: number, wireType: number): [value: number, end: number] {
  if (wireType === 0) return readVarint(message, at);
  if (wireType === 1) return [0, within(message, at + 8)];
  if (wireType === 5) return [0, within(message, at + 4)];
  if (wireType !== 2) throw new RangeError(`wire type ${wireType} is not known`);
  const [length, begin] = readVarint(message, at);
  return [0, within(message, begin + length)];
}

/** Up to 10 bytes; the value is exact up to 2^53. */
function readVarint(message: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = message[at + index];
    if (byte === undefined) throw new RangeError('a number is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return [value, at + index + 1];
  }
  throw new RangeError('a number is longer than 10 bytes');
}

function within(message: Buffer, end: number): number {
  if (end > message.length) throw new RangeError('a field is cut off');
  return end;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
