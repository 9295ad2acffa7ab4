/**
 * The words in which a test says what its upstream does. Data and contracts only; upstream-connection.ts acts on them.
 */
import type { HeaderMap } from '@cirque/http';
import type { TestBody, TestFields, TestFraming } from './message-text.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** A request as the upstream got it. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderMap;
  /** The whole body; empty in `early`, which runs before it arrives. */
  readonly body: Buffer;
  readonly trailers: HeaderMap | undefined;
  /** The connection it came on. */
  readonly connection: UpstreamConnection;
}

/** A response to send. */
export interface UpstreamResponse {
  /** Default 200. */
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  /** Sent as they are. With Content-Length or Transfer-Encoding among them the body is sent as it is, too. */
  readonly headers?: TestFields | undefined;
  /** A list arrives piece by piece. Default: none. */
  readonly body?: TestBody | undefined;
  /** Default `length` for text and bytes, `chunked` for a list. `close` ends the body with the connection. */
  readonly framing?: TestFraming | undefined;
  /** Trailer fields of a chunked body. */
  readonly trailers?: TestFields | undefined;
  /** Sent before the head, for example `[{ status: 103 }]`. */
  readonly informational?: readonly { readonly status: number; readonly headers?: TestFields }[] | undefined;
  /** Time of the proxy's clock that passes before the first byte. Default 0. */
  readonly delayMs?: number | undefined;
  /** Time that passes after the head and before each piece of the body. Default 0. */
  readonly bodyDelayMs?: number | undefined;
  /** Breaks the connection before the response is complete, by FIN or RST. */
  readonly cut?: 'close' | 'reset' | undefined;
  /** Says `Connection: close`, and does it. Default false. */
  readonly close?: boolean | undefined;
  /** Bytes to send exactly as given (text as Latin-1), in the place of head and body. */
  readonly raw?: string | Uint8Array | undefined;
}

/**
 * What the upstream does with a request: it responds, closes (FIN) or resets (RST) the connection without a response,
 * or never answers. Undefined: whoever was asked has written to the connection, or will.
 */
export type UpstreamAnswer = UpstreamResponse | 'close' | 'reset' | 'hang' | undefined;

/** Answers requests. Called when a request is complete, its body included. */
export type UpstreamHandler = (
  request: UpstreamRequest,
  connection: UpstreamConnection,
) => UpstreamAnswer | PromiseLike<UpstreamAnswer>;

/** What happens to an attempt to connect: accepted, refused (ECONNREFUSED), or never answered. */
export type ConnectAnswer = 'accept' | 'refuse' | 'blackhole';

/**
 * One step of a list: `refuse` and `blackhole` meet the next connection, everything else, functions included, the next
 * request.
 */
export type UpstreamStep = Exclude<UpstreamAnswer, undefined> | Exclude<ConnectAnswer, 'accept'> | UpstreamHandler;

/** An upstream in full. */
export interface UpstreamScript {
  /** Decides about each connection: to which address, and how many came before it. Default: accept. */
  connect?(address: string, connectionsBefore: number): ConnectAnswer;
  /** Called as soon as a request head is there. Undefined: wait for the body, then call `respond`. */
  readonly early?: UpstreamHandler;
  readonly respond?: UpstreamHandler;
}

/** The ways to describe an upstream: a function, the answers in their order, or both hooks. */
export type TestUpstream = UpstreamHandler | readonly UpstreamStep[] | UpstreamScript;

/** Brings every form into that of a script. */
export function scriptOf(upstream: TestUpstream | undefined): UpstreamScript {
  if (upstream === undefined) return {};
  if (typeof upstream === 'function') return { respond: upstream };
  return isList(upstream) ? scriptOfSteps([...upstream]) : upstream;
}

function scriptOfSteps(steps: UpstreamStep[]): UpstreamScript {
  return {
    connect() {
      const step = steps[0];
      if (step !== 'refuse' && step !== 'blackhole') return 'accept';
      steps.shift();
      return step;
    },
    respond(request, connection) {
      const step = steps.shift();
      if (step === undefined) return { status: 500, body: 'the list of upstream steps is at its end\n' };
      if (step === 'refuse' || step === 'blackhole') {
        return { status: 500, body: `the next upstream step is ${step}, but the connection was there already\n` };
      }
      return typeof step === 'function' ? step(request, connection) : step;
    },
  };
}

function isList(upstream: TestUpstream): upstream is readonly UpstreamStep[] {
  return Array.isArray(upstream);
}
