/**
 * Sends and receives descriptors over unix stream sockets (SCM_RIGHTS), one system call each, without waiting.
 */
import {
  controlSize,
  createMessage,
  isControlCut,
  MAX_DESCRIPTORS,
  readDescriptors,
  writeDescriptors,
} from './message.ts';
import type { NativeCalls } from './native-calls.ts';
import type { Platform } from './platform.ts';
import type { ReceivedDescriptors } from './sys.ts';
import { SysError } from './sys-error.ts';
import { checkDescriptor, systemCall } from './system-call.ts';

/** See Sys.sendDescriptors. */
export function sendDescriptors(
  calls: NativeCalls,
  platform: Platform,
  socket: number,
  bytes: Uint8Array,
  descriptors: readonly number[],
): number {
  if (bytes.length === 0) throw new RangeError('bytes must not be empty: descriptors need one byte to go with');
  for (const [index, descriptor] of descriptors.entries()) checkDescriptor(`descriptors[${index}]`, descriptor);
  if (descriptors.length > MAX_DESCRIPTORS) {
    throw new SysError('sendmsg', 'EINVAL', `${descriptors.length} descriptors, one message takes ${MAX_DESCRIPTORS}`);
  }
  const control = controlSize(platform.message, descriptors.length);
  const message = createMessage(calls, { payload: bytes.length, control });
  message.payload.set(bytes);
  writeDescriptors(platform.message, message.control, descriptors);
  return systemCall(calls, 'sendmsg', () => calls.sendmsg(socket, message.memory, platform.sendFlags));
}

/**
 * See Sys.receiveDescriptors.
 * @param maxDescriptors how many there is room for.
 */
export function receiveDescriptors(
  calls: NativeCalls,
  platform: Platform,
  socket: number,
  maxBytes: number,
  maxDescriptors: number = MAX_DESCRIPTORS,
): ReceivedDescriptors | undefined {
  if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
    throw new RangeError(`maxBytes must be a whole number above 0, got ${maxBytes}`);
  }
  const control = controlSize(platform.message, maxDescriptors);
  const message = createMessage(calls, { payload: maxBytes, control });
  const length = receive(calls, platform, socket, message.memory);
  if (length === undefined) return undefined;
  const descriptors = readDescriptors(platform.message, message);
  if (isControlCut(platform.message, message)) {
    for (const descriptor of descriptors) calls.close(descriptor);
    throw new SysError(
      'recvmsg',
      'EMSGSIZE',
      'descriptors were cut off: too many of them, or the limit of open files is reached',
    );
  }
  for (const descriptor of descriptors) platform.adopt(calls, descriptor);
  return { bytes: Buffer.from(message.payload.subarray(0, length)), descriptors };
}

function receive(calls: NativeCalls, platform: Platform, socket: number, header: Buffer): number | undefined {
  try {
    return systemCall(calls, 'recvmsg', () => calls.recvmsg(socket, header, platform.receiveFlags));
  } catch (error) {
    if ((error as SysError).code === 'EAGAIN') return undefined;
    throw error;
  }
}
