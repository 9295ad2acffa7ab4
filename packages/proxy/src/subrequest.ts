/**
 * Requests that a phase, or a program, sends through the proxy itself (Pingora's subrequests): all phases run for them,
 * with a context of their own, and the response comes back instead of going to a client.
 */
import {
  BodyFeed,
  type ByteSource,
  type ServerSession,
  VirtualServerSession,
  type VirtualSink,
  wantsTrailers,
} from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader, type ResponseHeader } from '@cirque/http';
import type { Digest } from '@cirque/transport';
import { type BodyOwner, SubrequestBody } from './subrequest-body.ts';

/** A subrequest that makes a subrequest, and so on: further down it must be a loop. */
export const MAX_SUBREQUEST_DEPTH = 8;

/** What is asked. */
export interface SubrequestInit<Ctx = unknown> {
  /** Default `GET`. */
  readonly method?: string;
  /** Path and query. Default: that of the parent, else `/`. */
  readonly target?: string;
  /**
   * Nothing is taken over from the parent but `Host`, where it is not given; give `session.requestHeader.headers` to
   * send what the client has sent. Fields that concern a connection, Expect and lengths are seen to.
   */
  readonly headers?: HeaderMap | Readonly<Record<string, string | readonly string[]>>;
  /** Text is sent as UTF-8; an iterable is read as the upstream takes it. Default: none. */
  readonly body?: string | Uint8Array | ByteSource;
  /** The context, in the place of what `newCtx` would make. */
  readonly ctx?: Ctx;
}

/** How it is asked. */
export interface SubrequestOptions {
  /** The subrequest outlives its parent. Default false: it is cancelled when the parent is over, or its client leaves. */
  readonly detached?: boolean;
  /** Cancels the subrequest. */
  readonly signal?: AbortSignal;
}

/** The response to a subrequest; its body is still to be read, or to be given up by `body.cancel()`. */
export class SubrequestResponse {
  /** The final head; informational ones are not shown. */
  readonly header: ResponseHeader;
  readonly body: SubrequestBody;
  #trailers: HeaderMap | undefined = undefined;

  /** @internal */
  constructor(header: ResponseHeader, body: SubrequestBody) {
    this.header = header;
    this.body = body;
  }

  get status(): number {
    return this.header.status;
  }

  get headers(): HeaderMap {
    return this.header.headers;
  }

  /** Known once the body was read to its end; undefined before, and when there are none. */
  get trailers(): HeaderMap | undefined {
    return this.#trailers;
  }

  /** @internal */
  noteTrailers(trailers: HeaderMap | undefined): void {
    this.#trailers = trailers;
  }
}

/** What became of a background subrequest. */
export interface SubrequestOutcome {
  readonly status: number;
  /** Payload bytes of the response. */
  readonly bodyBytes: number;
}

/** The request that makes a subrequest. */
export interface SubrequestParent {
  readonly requestHeader: RequestHeader;
  readonly digest: Digest;
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly depth: number;
}

/** Runs a request through all phases, with the given context if there is one. */
export type RunRequest = (downstream: ServerSession, ctx: { readonly value: unknown } | undefined) => void;

/** A request of ours; how deep tells that it is one. */
class SubrequestSession extends VirtualServerSession {
  depth = 1;
  /** Of the request that has made it. */
  parentId: string | undefined = undefined;
}

/** How many subrequests are around this request; 0 for a client's. */
export function subrequestDepth(downstream: ServerSession): number {
  return downstream instanceof SubrequestSession ? downstream.depth : 0;
}

/** The name of the request that has made this one; undefined for a client's, and for those that a program has made. */
export function parentRequestId(downstream: ServerSession): string | undefined {
  return downstream instanceof SubrequestSession ? downstream.parentId : undefined;
}

/**
 * Sends a subrequest.
 *
 * @throws CirqueError InternalError when it is nested too deeply, InvalidHTTPHeader when it cannot be sent,
 * ConnectionClosed when it was cancelled, else what broke it before its head. A failed upstream is no error: the proxy
 * answers 502 and the like.
 */
export async function sendSubrequest(
  run: RunRequest,
  init: SubrequestInit,
  options: SubrequestOptions = {},
  parent?: SubrequestParent,
): Promise<SubrequestResponse> {
  const signals = [options.detached === true ? undefined : parent?.signal, options.signal];
  return new Subrequest(init, parent, signals).send(run, 'ctx' in init ? { value: init.ctx } : undefined);
}

/** Sends a subrequest whose response interests nobody. What becomes of it is answered; a rejection may be ignored. */
export function spawnSubrequest(
  run: RunRequest,
  init: SubrequestInit,
  parent: SubrequestParent | undefined,
): Promise<SubrequestOutcome> {
  const outcome = drain(sendSubrequest(run, init, { detached: true }, parent));
  outcome.catch(() => undefined);
  return outcome;
}

async function drain(sent: Promise<SubrequestResponse>): Promise<SubrequestOutcome> {
  const { status, body } = await sent;
  return { status, bodyBytes: await body.discard() };
}

/** One subrequest under way. */
class Subrequest implements VirtualSink, BodyOwner {
  readonly #session: SubrequestSession;
  readonly #signals: readonly AbortSignal[];
  readonly #body: SubrequestBody = new SubrequestBody(this);
  readonly #answer: PromiseWithResolvers<SubrequestResponse> = Promise.withResolvers<SubrequestResponse>();
  readonly #feed: BodyFeed | undefined;
  readonly #whole: Buffer | undefined;
  #response: SubrequestResponse | undefined = undefined;

  constructor(
    init: SubrequestInit,
    parent: SubrequestParent | undefined,
    signals: readonly (AbortSignal | undefined)[],
  ) {
    const depth = (parent?.depth ?? 0) + 1;
    const header = headOf(init, parent);
    if (depth > MAX_SUBREQUEST_DEPTH) throw tooDeep(header);
    const { body } = init;
    this.#whole =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array ? bytesOf(body) : undefined;
    this.#session = new SubrequestSession({
      header,
      bodyLength: this.#whole?.length,
      sink: this,
      ...(parent === undefined ? {} : { digest: parent.digest }),
    });
    this.#session.depth = depth;
    this.#session.parentId = parent?.requestId;
    this.#signals = signals.filter((signal) => signal !== undefined);
    if (this.#whole === undefined) {
      this.#feed = new BodyFeed(this.#session, body as ByteSource, (error) => this.#fail(error));
    }
  }

  send(run: RunRequest, ctx: { readonly value: unknown } | undefined): Promise<SubrequestResponse> {
    if (this.#signals.some((signal) => signal.aborted)) throw cancelled();
    for (const signal of this.#signals) signal.addEventListener('abort', this.#cancel);
    run(this.#session, ctx);
    const whole = this.#whole;
    if (whole === undefined) {
      this.#feed?.start();
    } else if (whole.length > 0) {
      this.#session.feedBody(whole, 0, whole.length);
      this.#session.feedEnd();
    }
    return this.#answer.promise;
  }

  readonly #cancel = (): void => this.#giveUp(cancelled());

  bodyDrained(): void {
    this.#session.drained();
  }

  bodyGivenUp(): void {
    this.#giveUp(cancelled());
  }

  onHead(header: ResponseHeader): void {
    if (header.informational) return;
    this.#response = new SubrequestResponse(header, this.#body);
    this.#answer.resolve(this.#response);
  }

  onBody(buffer: Buffer, start: number, end: number): boolean {
    return this.#body.push(buffer, start, end);
  }

  onEnd(trailers: HeaderMap | undefined): void {
    this.#response?.noteTrailers(trailers);
    this.#body.end();
  }

  onAbort(error: CirqueError): void {
    this.#fail(error);
  }

  onPause(): void {
    this.#feed?.pause();
  }

  onResume(): void {
    this.#feed?.resume();
  }

  onFinish(): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#cancel);
    this.#feed?.stop();
  }

  #giveUp(error: CirqueError): void {
    this.#fail(error);
    this.#session.clientGone(error);
  }

  #fail(error: CirqueError): void {
    this.#answer.reject(error);
    this.#body.fail(error);
  }
}

function headOf(
  { method = 'GET', target, headers: fields = {}, body }: SubrequestInit,
  parent: SubrequestParent | undefined,
): RequestHeader {
  const headers = fields instanceof HeaderMap ? fields.clone() : HeaderMap.from(fields);
  const header = new RequestHeader(method, target ?? parent?.requestHeader.target ?? '/', headers);
  const trailers = wantsTrailers(header);
  headers.stripHopByHop(undefined);
  // Ours to read, so ours to ask for.
  if (trailers) {
    headers.set('TE', 'trailers');
    headers.set('Connection', 'TE');
  }
  headers.delete('Expect');
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) headers.delete('Content-Length');
  if (!headers.has('Host')) headers.set('Host', parent?.requestHeader.getHeader('host') ?? 'localhost');
  return header;
}

function bytesOf(body: string | Uint8Array | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function cancelled(): CirqueError {
  return CirqueError.downstream('ConnectionClosed', 'the subrequest was cancelled');
}

function tooDeep({ method, target }: RequestHeader): CirqueError {
  const what = `subrequest ${method} ${target} is nested more than ${MAX_SUBREQUEST_DEPTH} deep`;
  return CirqueError.internal(
    'InternalError',
    `${what}: does a phase make one for every request? See session.isSubrequest`,
  );
}
