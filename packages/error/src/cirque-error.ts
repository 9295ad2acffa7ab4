/**
 * The one error class of the project: what (type), whose fault (source), may it be tried again (retry), where
 * (context) and why (cause).
 *
 * Errors of the network are ordinary events, so making one is cheap: no stack is captured for them. Foreign
 * errors are converted in from-node.ts, HTTP statuses chosen in status.ts, printing is in display.ts.
 */
import { BRAND, isBranded } from './brand.ts';
import { causeOf, describeForeign, describeType, displayChain, escapeText, MAX_CHAIN_LENGTH } from './display.ts';
import { codeOf, type ErrorSource, type ErrorType } from './error-type.ts';
import { type Retry, settleRetry } from './retry.ts';

/** Everything about an error that has a default. */
export interface CirqueErrorOptions {
  /** Who caused it. Default `'Unset'`, which `statusFor` treats as our own fault. */
  source?: ErrorSource | undefined;
  /** Default: that of `cause` if it is one of our errors, else `false`. */
  retry?: Retry | undefined;
  /** What made this happen: an error of any kind, or whatever was thrown. */
  cause?: unknown;
  /** HTTP status to answer with, an integer from 100 to 599. Required for type `HTTPStatus`. */
  status?: number | undefined;
  /** Replaces the code derived from the type; for error types of your own. */
  code?: string | undefined;
}

/**
 * An error that the whole stack understands.
 *
 * `message` is the type and the context, with control characters escaped; `toString()` gives the whole chain of
 * causes on one line. `stack` has frames only for sources `Internal` and `Unset`, and not when the cause is already one of ours:
 * for events of the network the call site says nothing, and capturing it costs several times the rest.
 *
 * Throws RangeError for a status that is not an integer from 100 to 599, and for type `HTTPStatus` without status.
 */
export class CirqueError extends Error {
  /** What went wrong, spelled as Pingora's ErrorType. */
  readonly type: ErrorType;
  /** Stable, for programs: `CQ_CONNECT_TIMEDOUT`. Derived from the type; the README has the table. */
  readonly code: string;
  /** Whose fault it is. Writable on purpose: hooks and the retry loop correct it. */
  source: ErrorSource;
  /** May the request be tried again? Writable on purpose: hooks decide it, as with Pingora's `set_retry`. */
  retry: Retry;
  /** The HTTP status asked for, if any; `statusFor` has the mapping for all other errors. */
  readonly status: number | undefined;
  readonly #context: string;

  static {
    // On the prototype, not on each object: costs nothing per error and stays out of logs.
    Object.defineProperty(CirqueError.prototype, BRAND, { value: true });
    Object.defineProperty(CirqueError.prototype, 'name', { value: 'CirqueError', configurable: true, writable: true });
    // Bundlers rename a class that refers to itself; loggers print the name of the constructor.
    Object.defineProperty(CirqueError, 'name', { value: 'CirqueError', configurable: true });
  }

  constructor(type: ErrorType, context = '', options: CirqueErrorOptions = {}) {
    const { source = 'Unset', cause, status } = options;
    checkStatus(type, status);
    const quiet = source === 'Upstream' || source === 'Downstream' || isBranded(cause);
    const limit = quiet ? hideStack() : undefined;
    super(messageOf(type, status, context, cause), cause === undefined ? undefined : { cause });
    if (limit !== undefined) Error.stackTraceLimit = limit;
    this.type = type;
    this.code = options.code ?? codeOf(type);
    this.source = source;
    this.retry = options.retry ?? (CirqueError.is(cause) ? cause.retry : false);
    this.status = status;
    this.#context = context;
  }

  /** The text given to the constructor, unescaped; empty if there was none. */
  get context(): string {
    return this.#context;
  }

  /**
   * An error that asks for this HTTP status: `throw CirqueError.http(503, 'no healthy backend')`.
   * Throws RangeError when `status` is not an integer from 100 to 599.
   */
  static http(status: number, context?: string, options: Omit<CirqueErrorOptions, 'status'> = {}): CirqueError {
    return new CirqueError('HTTPStatus', context, { ...options, status });
  }

  /** An error of the origin side. */
  static upstream(type: ErrorType, context?: string, cause?: unknown): CirqueError {
    return new CirqueError(type, context, { source: 'Upstream', cause });
  }

  /** An error of the client side. */
  static downstream(type: ErrorType, context?: string, cause?: unknown): CirqueError {
    return new CirqueError(type, context, { source: 'Downstream', cause });
  }

  /** An error of our own. */
  static internal(type: ErrorType, context?: string, cause?: unknown): CirqueError {
    return new CirqueError(type, context, { source: 'Internal', cause });
  }

  /**
   * A new error on top of another. As in Pingora the source starts as `Unset`, and the retry verdict is taken over
   * when `cause` is one of our errors.
   */
  static because(type: ErrorType, context: string, cause: unknown): CirqueError {
    return new CirqueError(type, context, { cause });
  }

  /** True for every `CirqueError`, also one made by another installed copy of this package. */
  static is(value: unknown): value is CirqueError {
    return isBranded(value);
  }

  /** `instanceof CirqueError` works across copies as `is` does; for subclasses it means what it always means. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method, and `this` tells which was asked
    return this === CirqueError ? isBranded(value) : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /**
   * Makes a `CirqueError` of whatever was thrown, strings and `undefined` included. One of ours is returned as it is
   * (its source is filled in if nobody had set it), anything else becomes the cause.
   */
  static from(value: unknown, fallbackType: ErrorType = 'UnknownError', source: ErrorSource = 'Unset'): CirqueError {
    if (CirqueError.is(value)) {
      if (value.source === 'Unset') value.source = source;
      return value;
    }
    const context = value === undefined ? 'undefined was thrown' : '';
    return new CirqueError(fallbackType, context, { source, cause: value });
  }

  /** Says whose fault it is; returns the same error. */
  setSource(source: ErrorSource): this {
    this.source = source;
    return this;
  }

  /** Says whether the request may be tried again; returns the same error. */
  setRetry(retry: Retry): this {
    this.retry = retry;
    return this;
  }

  /**
   * Wraps this error in one that says where it happened: same type, code, source, retry and status, new context on
   * the outside, this error as its cause.
   */
  moreContext(context: string): CirqueError {
    const { code, source, retry, status } = this;
    return new CirqueError(this.type, context, { code, source, retry, status, cause: this });
  }

  /** The final word on retrying, once it is known whether the connection had been used before. */
  retryable(reused: boolean): boolean {
    return settleRetry(this.retry, reused);
  }

  /** The type of the innermost of our errors in the chain of causes. */
  rootType(): ErrorType {
    let root: CirqueError = this;
    for (let depth = 1; CirqueError.is(root.cause) && depth < MAX_CHAIN_LENGTH; depth += 1) root = root.cause;
    return root.type;
  }

  /** The innermost cause, of whatever kind; the error itself if it has none. */
  rootCause(): unknown {
    let root: unknown = this;
    for (let depth = 1; depth < MAX_CHAIN_LENGTH; depth += 1) {
      const cause = causeOf(root);
      if (cause === undefined) break;
      root = cause;
    }
    return root;
  }

  /**
   * The whole chain on one line, without control characters:
   * `Upstream ConnectRefused context: connecting to 127.0.0.1:9 cause: Error: connect ECONNREFUSED 127.0.0.1:9`.
   */
  override toString(): string {
    return displayChain(this);
  }
}

function checkStatus(type: ErrorType, status: number | undefined): void {
  if (status === undefined && type !== 'HTTPStatus') return;
  if (status !== undefined && Number.isInteger(status) && status >= 100 && status <= 599) return;
  throw new RangeError(`status of a CirqueError must be an integer from 100 to 599, got ${String(status)}`);
}

function messageOf(type: ErrorType, status: number | undefined, context: string, cause: unknown): string {
  const head = describeType(type, status);
  if (context !== '') return `${head}: ${escapeText(context)}`;
  return cause === undefined || isBranded(cause) ? head : `${head}: ${describeForeign(cause)}`;
}

/**
 * Switches stack capture off and says what to put back, `undefined` if there is nothing to put back.
 * The limit is global, but nothing can run between the two assignments. Where built-ins are frozen
 * (`--frozen-intrinsics`) the stack is captured after all.
 */
function hideStack(): number | undefined {
  const limit = Error.stackTraceLimit;
  if (typeof limit !== 'number' || limit === 0) return undefined;
  return Reflect.set(Error, 'stackTraceLimit', 0) ? limit : undefined;
}
