/** Entry of @cirque/error. Only re-exports. */
export { CirqueError, type CirqueErrorOptions } from './cirque-error.ts';
export { escapeText } from './display.ts';
export { codeOf, ERROR_TYPES, type ErrorSource, type ErrorType, type KnownErrorType } from './error-type.ts';
export { fromNodeError, type NodePhase } from './from-node.ts';
export { type Retry, settleRetry } from './retry.ts';
export { statusFor } from './status.ts';
