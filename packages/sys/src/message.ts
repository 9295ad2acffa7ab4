/**
 * `struct msghdr` and what it points to, in one piece of memory: one address, and one reference keeps all of it alive.
 * Values shorter than a pointer are written as 32 bits into zeroed memory, which is right where fields are wider too.
 */
import type { NativeCalls } from './native-calls.ts';
import { nativeMemory } from './native-memory.ts';
import type { MessageLayout } from './platform.ts';

/** The kernel's limit for one message (SCM_MAX_FD of Linux). */
export const MAX_DESCRIPTORS = 253;

const SCM_RIGHTS = 1;
const VECTOR_AT = 64;
const PARTS_AT = 80;

/** A message to send, or room for one to receive. */
export interface Message {
  /** Begins with the header. */
  readonly memory: Buffer;
  readonly payload: Buffer;
  readonly control: Buffer;
}

/** How long its parts are. */
export interface MessageSizes {
  readonly payload: number;
  readonly control?: number;
  readonly name?: number;
}

/** A zeroed message whose header points to its parts; the name, when there is one, is copied into it. */
export function createMessage(calls: NativeCalls, sizes: MessageSizes, name?: Buffer): Message {
  const nameBytes = name?.length ?? 0;
  const controlAt = align(PARTS_AT + nameBytes, 8);
  const payloadAt = align(controlAt + (sizes.control ?? 0), 8);
  const memory = nativeMemory(payloadAt + sizes.payload);
  const address = calls.address(memory);
  if (name !== undefined) {
    name.copy(memory, PARTS_AT);
    memory.writeBigUInt64LE(address + BigInt(PARTS_AT), 0); // msg_name
    memory.writeUInt32LE(nameBytes, 8); // msg_namelen
  }
  memory.writeBigUInt64LE(address + BigInt(VECTOR_AT), 16); // msg_iov
  memory.writeUInt32LE(1, 24); // msg_iovlen
  memory.writeBigUInt64LE(address + BigInt(payloadAt), VECTOR_AT); // iov_base
  memory.writeUInt32LE(sizes.payload, VECTOR_AT + 8); // iov_len
  const control = memory.subarray(controlAt, controlAt + (sizes.control ?? 0));
  if (control.length > 0) {
    memory.writeBigUInt64LE(address + BigInt(controlAt), 32); // msg_control
    memory.writeUInt32LE(control.length, 40); // msg_controllen
  }
  return { memory, payload: memory.subarray(payloadAt), control };
}

/** How much room that many descriptors take in a message; none take none. */
export function controlSize(layout: MessageLayout, descriptors: number): number {
  return descriptors === 0 ? 0 : align(dataAt(layout) + descriptors * 4, layout.controlAlignment);
}

/** Puts descriptors into the control part, which has just the size for them. */
export function writeDescriptors(layout: MessageLayout, control: Buffer, descriptors: readonly number[]): void {
  if (descriptors.length === 0) return;
  control.writeUInt32LE(dataAt(layout) + descriptors.length * 4, 0); // cmsg_len
  control.writeInt32LE(layout.SOL_SOCKET, layout.controlLevelAt);
  control.writeInt32LE(SCM_RIGHTS, layout.controlLevelAt + 4);
  for (const [index, descriptor] of descriptors.entries()) {
    control.writeInt32LE(descriptor, dataAt(layout) + index * 4);
  }
}

/** The descriptors of a message that has been received. */
export function readDescriptors(layout: MessageLayout, { memory, control }: Message): number[] {
  const descriptors: number[] = [];
  const end = Math.min(memory.readUInt32LE(40), control.length);
  for (let at = 0; at + dataAt(layout) <= end; ) {
    const length = control.readUInt32LE(at);
    if (length < dataAt(layout)) break;
    const level = control.readInt32LE(at + layout.controlLevelAt);
    const type = control.readInt32LE(at + layout.controlLevelAt + 4);
    const stop = Math.min(at + length, end);
    if (level === layout.SOL_SOCKET && type === SCM_RIGHTS) {
      for (let data = at + dataAt(layout); data + 4 <= stop; data += 4) descriptors.push(control.readInt32LE(data));
    }
    at += align(length, layout.controlAlignment);
  }
  return descriptors;
}

/** Whether the system had to leave out descriptors. */
export function isControlCut(layout: MessageLayout, { memory }: Message): boolean {
  return (memory.readInt32LE(layout.flagsAt) & layout.MSG_CTRUNC) !== 0;
}

function dataAt(layout: MessageLayout): number {
  return layout.controlLevelAt + 8;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
