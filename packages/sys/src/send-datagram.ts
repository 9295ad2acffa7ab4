/**
 * Datagrams to unix sockets, which Node.js does not have: what sd_notify needs.
 */
import { createMessage } from './message.ts';
import type { NativeCalls } from './native-calls.ts';
import type { Platform } from './platform.ts';
import { SysError } from './sys-error.ts';
import { systemCall } from './system-call.ts';

/** `sun_path` has room for that much, and the NUL byte behind it. */
const MAX_PATH_BYTES = 107;

/** See Sys.sendDatagram. */
export function sendDatagram(calls: NativeCalls, platform: Platform, path: string, bytes: Uint8Array): void {
  const address = platform.unixAddress(checkPath(path));
  const message = createMessage(calls, { payload: bytes.length }, address);
  message.payload.set(bytes);
  const socket = platform.openSocket(calls, 'unix', 'datagram');
  try {
    systemCall(calls, 'sendmsg', () => calls.sendmsg(socket, message.memory, platform.sendFlags));
  } finally {
    calls.close(socket);
  }
}

/** The bytes of a path; `@` at its beginning becomes the NUL byte of the abstract namespace. */
function checkPath(path: string): Buffer {
  const bytes = Buffer.from(path);
  if (bytes.length === 0 || bytes.includes(0)) {
    throw new TypeError(`path must be one of a unix socket, or @ and an abstract name; got ${JSON.stringify(path)}`);
  }
  if (bytes.length > MAX_PATH_BYTES) {
    throw new SysError('sendmsg', 'ENAMETOOLONG', `${bytes.length} bytes, a unix socket's path has ${MAX_PATH_BYTES}`);
  }
  if (bytes[0] === 0x40) bytes[0] = 0;
  return bytes;
}
