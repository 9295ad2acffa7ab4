/**
 * Errors as listeners of http-proxy expect them: with the code of the system.
 */
import { CirqueError } from '@cirque/error';

/** Where the system has given no code. */
const CODES: Readonly<Record<string, string>> = {
  ConnectTimedout: 'ETIMEDOUT',
  ReadTimedout: 'ETIMEDOUT',
  WriteTimedout: 'ETIMEDOUT',
  ConnectionClosed: 'ECONNRESET',
  ReadError: 'ECONNRESET',
  WriteError: 'EPIPE',
  ConnectRefused: 'ECONNREFUSED',
};

/** An error with a `code` such as `ECONNREFUSED`; its `cause` is the {@link CirqueError}. */
export interface ProxyError extends Error {
  readonly code: string;
  readonly cause: CirqueError;
}

/** Makes one of ours one of theirs. */
export function proxyError(error: CirqueError): ProxyError {
  const code = systemCode(error) ?? CODES[error.type] ?? error.code;
  const result = new Error(error.toString(), { cause: error });
  return Object.assign(result, { code }) as unknown as ProxyError;
}

function systemCode(error: CirqueError): string | undefined {
  const root = error.rootCause();
  if (CirqueError.is(root)) return undefined;
  const code = (root as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
