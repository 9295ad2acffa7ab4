/**
 * The native calls through node:ffi, which Node.js has since 26.1. Loading it prints a warning, once for each process
 * and thread, that is of no use to operators of a server: that one is kept back.
 */
import type * as NodeFfi from 'node:ffi';
import {
  type NativeCalls,
  type NativeFunctions,
  type NativeSignature,
  type NativeType,
  SIGNATURES,
} from './native-calls.ts';

type FfiModule = typeof NodeFfi;
type FfiFunction = (...values: unknown[]) => number | bigint;

const TYPES = {
  int: 'i32',
  'unsigned int': 'u32',
  'unsigned long': 'u64',
  ssize_t: 'i64',
  memory: 'pointer',
} as const satisfies Record<NativeType, NodeFfi.ReturnType>;

/**
 * Opens the C library of this process.
 * @param errnoFunction the function of the C library that tells where this thread keeps its error number.
 * @throws Error with a sentence for people when this runtime has no node:ffi, or does not permit it.
 */
export function openNodeFfi(errnoFunction: string): NativeCalls {
  const ffi = loadQuietly();
  if (ffi === undefined) throw new Error(`node:ffi is not in this Node.js (${process.versions.node}; 26.1 has it)`);
  const { functions } = openLibrary(ffi, {
    ...Object.fromEntries(Object.entries(SIGNATURES).map(([name, signature]) => [name, declaration(signature)])),
    [errnoFunction]: { arguments: [], return: 'pointer' },
  });
  const errnoAddress = (functions[errnoFunction] as () => bigint)();
  // A view, not a copy: reading the number must not call anything that could change it.
  const errnoBytes = ffi.toBuffer(errnoAddress, 4, false);
  const errno = new Int32Array(errnoBytes.buffer, errnoBytes.byteOffset, 1);
  const calls = Object.entries(SIGNATURES).map(([name, signature]) => [
    name,
    adapt(functions[name] as FfiFunction, signature),
  ]);
  return {
    ...(Object.fromEntries(calls) as NativeFunctions),
    backend: 'node:ffi',
    errno: () => errno[0] ?? 0,
    address: (memory) => ffi.getRawPointer(memory),
  };
}

function declaration(signature: NativeSignature): NodeFfi.FunctionSignature {
  return { arguments: signature.arguments.map((type) => TYPES[type]), return: TYPES[signature.result] };
}

function openLibrary(
  ffi: FfiModule,
  definitions: NodeFfi.FunctionDefinitions,
): { functions: Readonly<Record<string, unknown>> } {
  try {
    return ffi.dlopen(null, definitions);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw error;
    throw new Error('node:ffi is denied by the permission model (--allow-ffi)', { cause: error });
  }
}

/** 64-bit integers are bigints in node:ffi; what passes here fits a number. */
function adapt(call: FfiFunction, signature: NativeSignature): (...values: (number | Buffer)[]) => number {
  const long = signature.arguments.indexOf('unsigned long');
  if (long === -1 && signature.result === 'int') return call as (...values: unknown[]) => number;
  return (...values) => Number(call(...values.map((value, index) => (index === long ? BigInt(Number(value)) : value))));
}

/** The module, without the warning that it is experimental. */
function loadQuietly(): FfiModule | undefined {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('FFI')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return process.getBuiltinModule('node:ffi') as FfiModule | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
