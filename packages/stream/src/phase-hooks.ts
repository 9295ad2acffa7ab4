/**
 * Takes the phases of a proxy apart once, at construction: one that is absent is undefined, and is skipped.
 */
import { CirqueError } from '@cirque/error';

/**
 * The phases of these names, bound to their proxy.
 *
 * @throws TypeError when a required one is missing, or when something with a phase's name is no function.
 */
export function bindPhases<P extends object, Name extends keyof P & string>(
  proxy: P,
  names: readonly Name[],
  required: readonly Name[],
): Pick<P, Name> {
  const hooks: Record<string, unknown> = {};
  for (const name of names) {
    const phase: unknown = proxy?.[name];
    if (phase === undefined && required.includes(name))
      throw new TypeError(`the proxy has no ${name}(): it is required`);
    if (phase !== undefined && typeof phase !== 'function')
      throw new TypeError(`phase ${name} of the proxy is ${typeof phase}: expected a function`);
    hooks[name] = phase?.bind(proxy);
  }
  return hooks as Pick<P, Name>;
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
export function atOnce<T>(phase: string, answer: T): T {
  if (!isThenable(answer)) return answer;
  Promise.resolve(answer).catch(() => undefined);
  throw CirqueError.internal('InternalError', `${phase} answered a promise: it must answer at once`);
}

/**
 * The answer of a phase that judges an error: `failToConnect`, `failToSend`.
 *
 * @throws CirqueError InternalError when it has answered anything but an error, at once, or nothing.
 */
export function judgement(phase: string, answer: unknown): CirqueError | undefined {
  const error = atOnce(phase, answer);
  if (error === undefined || CirqueError.is(error)) return error;
  throw CirqueError.internal('InternalError', `${phase} answered ${typeof error}: expected a CirqueError`);
}
