/**
 * Makes a native call and turns its failure into a SysError; checks what must never reach C.
 */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { NativeCalls } from './native-calls.ts';
import { SysError } from './sys-error.ts';

/**
 * The result of a call that says -1 when it fails. Interrupted calls are made again.
 * @param name of the call, for the error.
 * @throws SysError with the system's code.
 */
export function systemCall(calls: NativeCalls, name: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const error = failure(name, calls.errno());
    if (error.code !== 'EINTR') throw error;
  }
}

/** Closes a descriptor. After an interruption it is closed already, and its number may be somebody else's. */
export function closeDescriptor(calls: NativeCalls, descriptor: number): void {
  if (calls.close(descriptor) !== -1) return;
  const error = failure('close', calls.errno());
  if (error.code !== 'EINTR') throw error;
}

/** @throws TypeError where a number cannot be one of a descriptor: libraries would turn NaN into 0. */
export function checkDescriptor(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return;
  throw new TypeError(`${name} must be the number of an open file, 0 or more; got ${String(value)}`);
}

function failure(name: string, errno: number): SysError {
  const [code, detail] = getSystemErrorMap().get(-errno) ?? [nameOf(errno), undefined];
  return new SysError(name, code, detail);
}

/** For numbers that Node.js itself has no use for. */
function nameOf(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}
