/**
 * Modules loaded afresh with one library for native calls, since each process chooses only once.
 */
import { vi } from 'vitest';

/** Values of CIRQUE_FFI: every library that this runtime can have. `node:ffi` is there from 26.1 on. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
export const LIBRARIES: readonly string[] = major > 26 || (major === 26 && minor >= 1) ? ['node', 'koffi'] : ['koffi'];

/** What `load` imports, with the library of that name; `off` for none. */
export async function withLibrary<T>(choice: string, load: () => Promise<T>): Promise<T> {
  vi.resetModules();
  vi.stubEnv('CIRQUE_FFI', choice);
  try {
    const modules = await load();
    const { loadSys } = await import('@cirque/sys');
    const loaded = loadSys()?.backend.replace('node:ffi', 'node') ?? 'off';
    if (loaded !== choice) throw new Error(`${choice} was asked for, ${loaded} was loaded`);
    return modules;
  } finally {
    vi.unstubAllEnvs();
  }
}
