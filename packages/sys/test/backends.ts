/**
 * Both libraries, each opened on its own whatever loadSys would choose: the same tests run through both.
 */
import { openKoffi } from '../src/koffi.ts';
import type { NativeCalls } from '../src/native-calls.ts';
import { NativeSys } from '../src/native-sys.ts';
import { openNodeFfi } from '../src/node-ffi.ts';
import { currentPlatform, type Platform } from '../src/platform.ts';
import type { Sys } from '../src/sys.ts';

export interface Backend {
  readonly name: string;
  /** The value of CIRQUE_FFI that chooses it in another process. */
  readonly choice: string;
  readonly calls: NativeCalls;
  readonly sys: Sys;
}

export const platform: Platform = current();

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Whether this runtime must have node:ffi. */
export const HAS_NODE_FFI: boolean = major > 26 || (major === 26 && minor >= 1);

/** All that this runtime must have. */
export const backends: readonly Backend[] = [
  ...(HAS_NODE_FFI ? [backend('node', openNodeFfi(platform.errnoFunction))] : []),
  backend('koffi', openKoffi()),
];

function backend(choice: string, calls: NativeCalls): Backend {
  return { name: calls.backend, choice, calls, sys: new NativeSys(calls, platform) };
}

function current(): Platform {
  const found = currentPlatform();
  if (found === undefined) throw new Error('these tests need Linux on x64 or arm64');
  return found;
}
