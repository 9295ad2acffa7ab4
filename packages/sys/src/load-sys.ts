/**
 * Finds the library that makes native calls: node:ffi where the runtime has it, else the package koffi. Once per thread,
 * because what it opens belongs to the thread.
 */
import { constants } from 'node:os';
import { openKoffi } from './koffi.ts';
import type { NativeCalls } from './native-calls.ts';
import { NativeSys } from './native-sys.ts';
import { openNodeFfi } from './node-ffi.ts';
import { currentPlatform, type Platform } from './platform.ts';
import type { Sys } from './sys.ts';

type Loaded = { readonly sys: Sys } | { readonly sys?: undefined; readonly reason: string };
type Open = (platform: Platform) => NativeCalls;

const LIBRARIES: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['node', (platform) => openNodeFfi(platform.errnoFunction)],
  ['koffi', openKoffi],
]);

let loaded: Loaded | undefined;

/**
 * The native calls, or undefined where there are none: see {@link sysUnavailable}. Looks only once; never throws.
 *
 * The environment variable `CIRQUE_FFI` chooses: `node` or `koffi` for that library and no other, `off` for none.
 */
export function loadSys(): Sys | undefined {
  loaded ??= load(process.env.CIRQUE_FFI);
  return loaded.sys;
}

/** Why there are none and what would help, as one sentence without a full stop; undefined when there are. */
export function sysUnavailable(): string | undefined {
  loaded ??= load(process.env.CIRQUE_FFI);
  return loaded.sys === undefined ? loaded.reason : undefined;
}

function load(choice: string | undefined): Loaded {
  if (choice === 'off') return { reason: 'native calls are switched off by CIRQUE_FFI=off' };
  const platform = currentPlatform();
  if (platform === undefined) return { reason: `native calls are not known for ${process.platform} ${process.arch}` };
  const candidates = choice === undefined || choice === '' ? [...LIBRARIES.keys()] : [choice];
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      return {
        sys: new NativeSys(checked((LIBRARIES.get(candidate) ?? unknownChoice(candidate))(platform)), platform),
      };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  return { reason: `there are no native calls: ${reasons.join(', and ')}` };
}

/** A library that is not what it seems must not be trusted with descriptors: its first call is one that fails. */
function checked(calls: NativeCalls): NativeCalls {
  if (calls.close(-1) === -1 && calls.errno() === constants.errno.EBADF) return calls;
  throw new Error(`${calls.backend} does not tell why a call failed`);
}

function unknownChoice(choice: string): never {
  throw new Error(`CIRQUE_FFI is ${JSON.stringify(choice)}, not node, koffi or off`);
}
