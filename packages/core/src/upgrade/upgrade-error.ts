/**
 * The failure of an upgrade. Whoever gets one goes on as before: the old process serves, the new one ends.
 */
import { CirqueError } from '@cirque/error';

/** An error of type `UpgradeError`. */
export function upgradeError(context: string, cause?: unknown): CirqueError {
  return CirqueError.internal('UpgradeError', context, cause);
}

/** The error where the two processes will not come together, of type `UpgradeRefused`. */
export function refusal(context: string): CirqueError {
  return CirqueError.internal('UpgradeRefused', context);
}

/** The error where the other process has gone, of type `ConnectionClosed`. */
export function hasClosed(): CirqueError {
  return CirqueError.internal('ConnectionClosed', 'the other process has closed the connection');
}

/** True when the other process has said no, rather than gone away. */
export function isRefusal(error: unknown): boolean {
  return CirqueError.is(error) && error.type === 'UpgradeRefused';
}

/** True when the other process has gone without a word. */
export function isClosed(error: unknown): boolean {
  return CirqueError.is(error) && error.type === 'ConnectionClosed';
}

/** One sentence about a failure of any kind. */
export function sentenceOf(error: unknown): string {
  if (CirqueError.is(error)) return error.context;
  return error instanceof Error ? error.message : String(error);
}
