/**
 * The native calls through the package koffi, an optional peer dependency for runtimes without node:ffi.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type NativeCalls, type NativeFunctions, type NativeType, SIGNATURES } from './native-calls.ts';

/** What is used of koffi 3. */
interface Koffi {
  readonly version: string;
  load(path: null): { func(name: string, result: string, parameters: string[]): (...values: unknown[]) => number };
  errno(): number;
  address(memory: Buffer): bigint;
}

const TYPES: Readonly<Record<NativeType, string>> = {
  int: 'int',
  'unsigned int': 'unsigned int',
  'unsigned long': 'uint64_t',
  ssize_t: 'int64_t',
  memory: 'void *',
};

/**
 * Opens the C library of this process.
 * @throws Error with a sentence for people when koffi is not installed or cannot be loaded.
 */
export function openKoffi(): NativeCalls {
  const koffi = requireKoffi();
  if (Number.parseInt(koffi.version, 10) < 3) throw new Error(`koffi is too old (${koffi.version}; 3.3.4 will do)`);
  const library = koffi.load(null);
  const calls = Object.entries(SIGNATURES).map(([name, { arguments: types, result }]) => [
    name,
    library.func(
      name,
      TYPES[result],
      types.map((type) => TYPES[type]),
    ),
  ]);
  return {
    ...(Object.fromEntries(calls) as NativeFunctions),
    backend: 'koffi',
    errno: () => koffi.errno(),
    address: (memory) => koffi.address(memory),
  };
}

/** As this package sees it, else as the project does in whose folder the process was started. */
function requireKoffi(): Koffi {
  // After fstat of a pipe or socket, require() of Node.js 22 does not follow symbolic links, until it stats something else.
  statSync(process.execPath, { throwIfNoEntry: false });
  for (const origin of [import.meta.url, join(process.cwd(), 'package.json')]) {
    const require = createRequire(origin);
    if (isInstalled(require)) return loadKoffi(require);
  }
  throw new Error('koffi is not installed');
}

function isInstalled(require: NodeJS.Require): boolean {
  try {
    return require.resolve('koffi') !== '';
  } catch {
    return false;
  }
}

function loadKoffi(require: NodeJS.Require): Koffi {
  try {
    return require('koffi') as Koffi;
  } catch (error) {
    throw new Error(`koffi cannot be loaded: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}
