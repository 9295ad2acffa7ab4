/**
 * The vocabulary of the corpus: what is sent, and what may happen. No case says how the proxy does it.
 *
 * Bytes are written as latin1 strings, one character per octet.
 */

/** What the origin may have received because of a request case. */
export interface OriginView {
  /** Complete requests, exactly. */
  readonly complete: number;
  /** `aborted`: one more may have begun, on a connection that the proxy then closed. Default `none`. */
  readonly partial?: 'none' | 'aborted';
}

/** What is required of a forwarded request, in the words of the wire. */
export interface ForwardedView {
  readonly method?: string;
  /** One target, or several that mean the same. */
  readonly target?: string | readonly string[];
  readonly body?: string;
  readonly host?: string | RegExp;
  /** Field lines, exactly and in this order, whatever else is there: `['X-A: 1', 'X-A: 2']`. */
  readonly inOrder?: readonly string[];
  /** All field lines of the request, exactly, but for Transfer-Encoding, which each hop makes anew. */
  readonly exactly?: readonly string[];
  /** Names that may not occur, in the head or in the trailers. */
  readonly lacks?: readonly string[];
}

/** One permitted course of a request case. */
export interface RequestOutcome {
  /** Status codes of the final answers, exactly and in order. */
  readonly answers: readonly number[];
  /** What the proxy does with the connection after the last answer. */
  readonly connection: 'closed' | 'kept' | 'either';
  readonly origin: OriginView;
  readonly forwarded?: readonly ForwardedView[];
}

export interface RequestCase {
  readonly name: string;
  /** RFC section or attack class. */
  readonly source: string;
  readonly bytes: string;
  /** Methods of the requests in `bytes` when one of them is HEAD. */
  readonly methods?: readonly string[];
  /** The permitted courses; the first that fits the answers counts. */
  readonly expect: readonly RequestOutcome[];
  /** Too big to be worth cutting up: sent whole and in random pieces only once. */
  readonly large?: boolean;
}

/** One permitted course of a response case. */
export interface ResponseOutcome {
  readonly status: number;
  readonly reason?: string;
  readonly body?: string;
  /** `truncated`: the client can tell that the message did not come to its end. */
  readonly end: 'complete' | 'truncated';
  readonly client: 'closed' | 'kept' | 'either';
  /** What becomes of the connection to the origin. */
  readonly upstream: 'reused' | 'dropped' | 'either';
  /** Status codes of the interim answers before the final one, exactly. Default: none. */
  readonly interim?: readonly number[] | 'any';
  /** Field lines that must be there, in this order. */
  readonly inOrder?: readonly string[];
  readonly lacks?: readonly string[];
  readonly trailers?: readonly string[];
  readonly framing?: 'none' | 'length' | 'chunked' | 'close';
}

export interface ResponseCase {
  readonly name: string;
  readonly source: string;
  /** Default `GET /case HTTP/1.1` with a Host. */
  readonly request?: string;
  /** What the origin sends when the request is complete. */
  readonly bytes: string;
  /** What it does then. Default: it keeps the connection open. */
  readonly afterwards?: 'keep' | 'fin' | 'reset';
  readonly expect: readonly ResponseOutcome[];
  readonly large?: boolean;
}

/** Refused with one of these codes: nothing reaches the origin and the connection is closed. */
export function refused(...statuses: number[]): RequestOutcome[] {
  return statuses.map((status) => ({ answers: [status], connection: 'closed', origin: { complete: 0 } }));
}

/** Found to be wrong inside the body: the origin may have seen a beginning, never a whole request. */
export function refusedInBody(...statuses: number[]): RequestOutcome[] {
  return statuses.map((status) => ({
    answers: [status],
    connection: 'closed',
    origin: { complete: 0, partial: 'aborted' },
  }));
}

/** Forwarded once and answered; the connection stays usable. */
export function accepted(...forwarded: ForwardedView[]): RequestOutcome[] {
  const count = Math.max(1, forwarded.length);
  return [{ answers: Array(count).fill(200), connection: 'kept', origin: { complete: count }, forwarded }];
}

/** Answered, then closed, because the request asked for it. */
export function acceptedAndClosed(...forwarded: ForwardedView[]): RequestOutcome[] {
  return accepted(...forwarded).map((outcome) => ({ ...outcome, connection: 'closed' }));
}

/** A gateway error made by the proxy; the upstream connection is of no further use. */
export function badGateway(status = 502): ResponseOutcome[] {
  return [{ status, end: 'complete', client: 'either', upstream: 'dropped', interim: 'any' }];
}

/** A request head from its lines. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}
