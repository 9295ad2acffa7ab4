/**
 * The functions of the C library that this package calls, and how they are declared. Adapters (node-ffi.ts, koffi.ts)
 * provide them and nothing else; what the calls mean is written once, above them. No function here is variadic on the
 * systems where it is used with its variable part, and none gets memory that V8 may move: see native-memory.ts.
 */
import type { SysBackend } from './sys.ts';

/** How a value is passed. `memory` is a buffer whose address is passed, `unsigned long` has 64 bits. */
export type NativeType = 'int' | 'unsigned int' | 'unsigned long' | 'ssize_t' | 'memory';

/** A declaration of C. */
export interface NativeSignature {
  readonly arguments: readonly Exclude<NativeType, 'ssize_t'>[];
  readonly result: 'int' | 'ssize_t';
}

/** The functions, as C declares them: -1 is a failure, whose number {@link NativeCalls.errno} has then. */
export interface NativeFunctions {
  close(descriptor: number): number;
  dup(descriptor: number): number;
  dup2(descriptor: number, target: number): number;
  /** Variadic in C: not for Apple's arm64, which passes the third argument elsewhere. */
  fcntl(descriptor: number, command: number, argument: number): number;
  /** Variadic in C: only for requests that have no third argument. */
  ioctl(descriptor: number, request: number): number;
  socket(domain: number, type: number, protocol: number): number;
  sendmsg(descriptor: number, header: Buffer, flags: number): number;
  recvmsg(descriptor: number, header: Buffer, flags: number): number;
  getsockopt(descriptor: number, level: number, name: number, value: Buffer, length: Buffer): number;
  setsockopt(descriptor: number, level: number, name: number, value: Buffer, length: number): number;
}

/** What an adapter provides. */
export interface NativeCalls extends NativeFunctions {
  readonly backend: SysBackend;
  /** The error number of the call that has just failed on this thread: read it before anything else is called. */
  errno(): number;
  /** Where a buffer of native-memory.ts lies. */
  address(memory: Buffer): bigint;
}

/** The declarations that adapters hand to their library. */
export const SIGNATURES: Readonly<Record<keyof NativeFunctions, NativeSignature>> = {
  close: { arguments: ['int'], result: 'int' },
  dup: { arguments: ['int'], result: 'int' },
  dup2: { arguments: ['int', 'int'], result: 'int' },
  fcntl: { arguments: ['int', 'int', 'int'], result: 'int' },
  ioctl: { arguments: ['int', 'unsigned long'], result: 'int' },
  socket: { arguments: ['int', 'int', 'int'], result: 'int' },
  sendmsg: { arguments: ['int', 'memory', 'int'], result: 'ssize_t' },
  recvmsg: { arguments: ['int', 'memory', 'int'], result: 'ssize_t' },
  getsockopt: { arguments: ['int', 'int', 'int', 'memory', 'memory'], result: 'int' },
  setsockopt: { arguments: ['int', 'int', 'int', 'memory', 'unsigned int'], result: 'int' },
};
