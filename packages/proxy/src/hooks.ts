/**
 * Resolves a proxy's phases once, at construction: a phase that is absent is undefined here and is skipped.
 */
import { CirqueError } from '@cirque/error';
import { PHASES, type PhaseName } from './phases.ts';
import type { ProxyPhases } from './proxy-http.ts';

/** Phases bound to their proxy. */
export type Hooks<Ctx> = Pick<ProxyPhases<Ctx>, PhaseName>;

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

/** The phases of a request whose `newCtx` has thrown: there is no context, and only `logging` does without. */
export function onlyLogging<Ctx>({ logging }: Hooks<Ctx>): Hooks<Ctx> {
  return (logging === undefined ? {} : { logging }) as Hooks<Ctx>;
}

/** True for what must be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * The answer of a phase that is not awaited.
 *
 * @throws CirqueError InternalError when it is a promise; what becomes of that is of no interest.
 */
export function atOnce<T>(phase: PhaseName, answer: T): T {
  if (!isThenable(answer)) return answer;
  Promise.resolve(answer).catch(() => undefined);
  throw CirqueError.internal('InternalError', `${phase} answered a promise: it must answer at once`);
}

/**
 * What a phase that judges an error has answered; undefined leaves the error as it is.
 *
 * @throws CirqueError InternalError when it is anything else.
 */
export function decision(phase: PhaseName, answer: unknown): CirqueError | undefined {
  const error = atOnce(phase, answer);
  if (error === undefined || CirqueError.is(error)) return error;
  throw CirqueError.internal('InternalError', `${phase} answered ${typeof error}: expected a CirqueError`);
}
