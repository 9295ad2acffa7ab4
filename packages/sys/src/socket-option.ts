/**
 * getsockopt and setsockopt, with the memory that they need.
 */
import type { NativeCalls } from './native-calls.ts';
import { nativeMemory } from './native-memory.ts';
import { systemCall } from './system-call.ts';

/** The value of an option, cut to what the system wrote. */
export function readOption(calls: NativeCalls, socket: number, level: number, name: number, bytes: number): Buffer {
  const value = nativeMemory(bytes);
  const length = nativeMemory(4);
  length.writeUInt32LE(bytes);
  systemCall(calls, 'getsockopt', () => calls.getsockopt(socket, level, name, value, length));
  return value.subarray(0, length.readUInt32LE());
}

/** Sets an option whose value is an int. */
export function writeOption(calls: NativeCalls, socket: number, level: number, name: number, value: number): void {
  const memory = nativeMemory(4);
  memory.writeInt32LE(value);
  systemCall(calls, 'setsockopt', () => calls.setsockopt(socket, level, name, memory, memory.length));
}
