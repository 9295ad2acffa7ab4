/**
 * Resolves a proxy's phases once, at construction: a phase that is absent is undefined here and is skipped.
 */
import { PHASES } from './phases.ts';
import type { ProxyPhases } from './proxy-http.ts';

/** Phases bound to their proxy. */
export type Hooks<Ctx> = ProxyPhases<Ctx>;

/**
 * Takes the phases of a proxy.
 *
 * @throws TypeError when `newCtx` or `upstreamPeer` is missing, or when something with a phase's name is no function.
 */
export function resolveHooks<Ctx>(proxy: ProxyPhases<Ctx>): Hooks<Ctx> {
  const hooks: Record<string, unknown> = {};
  for (const { name } of PHASES) {
    const phase: unknown = proxy[name];
    if (phase === undefined) {
      hooks[name] = undefined;
      if (name === 'newCtx' || name === 'upstreamPeer')
        throw new TypeError(`the proxy has no ${name}(): it is required`);
    } else if (typeof phase === 'function') {
      hooks[name] = phase.bind(proxy);
    } else {
      throw new TypeError(`phase ${name} of the proxy is ${typeof phase}: expected a function`);
    }
  }
  return hooks as unknown as Hooks<Ctx>;
}

/** True for what must be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
