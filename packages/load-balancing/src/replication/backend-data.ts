/**
 * The data of users (`Backend.ext`) on its way to another thread, where not everything can go.
 */
import type { Backend } from '../backend.ts';
import type { DataEntries } from './balancer-change.ts';

/** What was found out about a backend, which never changes, is not found out again. */
const known = new WeakMap<Backend, DataEntries>();

/** The entries that structured cloning passes on; functions, sockets and the like stay behind. */
export function cloneableData(backend: Backend): DataEntries {
  if (backend.ext.size === 0) return [];
  const entries = known.get(backend) ?? [...backend.ext].filter(isCloneable);
  known.set(backend, entries);
  return entries;
}

function isCloneable(entry: readonly [unknown, unknown]): boolean {
  try {
    structuredClone(entry);
    return true;
  } catch {
    return false;
  }
}
