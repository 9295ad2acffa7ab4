/**
 * How a request ends: `failToProxy` when it failed, `logging`, `persistConnectionContext`, then the connection goes on.
 *
 * Whatever these last phases throw is logged, and the request ends all the same.
 */
import type { ServerSession } from '@cirque/core';
import { CirqueError, statusFor } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import { requestEnd } from './diagnostics.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { logAccess, logFailure, logPhaseFailure } from './exchange-log.ts';
import { isThenable } from './hooks.ts';
import type { ModuleChain } from './http-modules.ts';
import { PendingHook } from './pending-hook.ts';
import type { FailToProxy } from './proxy-http.ts';
import type { Session } from './session.ts';

/** What the end needs to know of its exchange. */
export interface Concluded<Ctx> {
  readonly downstream: ServerSession;
  readonly session: Session;
  readonly context: ExchangeContext<Ctx>;
  readonly ctx: Ctx;
  readonly startedAt: number;
  /** The peer of the last attempt. */
  readonly peer: Peer | undefined;
  readonly upstreamReused: boolean;
  readonly downstreamModules: ModuleChain | undefined;
}

type LastPhase = 'failToProxy' | 'logging' | 'persistConnectionContext';

/** See the file's head. One per request. */
export class Conclusion<Ctx> {
  readonly #request: Concluded<Ctx>;
  #error: CirqueError | undefined = undefined;
  /** The last phases run: nothing that happens from now on changes the outcome. */
  begun = false;
  /** The connection has gone on. */
  over = false;

  constructor(request: Concluded<Ctx>) {
    this.#request = request;
  }

  /** The response was written to its end. */
  succeed(): void {
    this.begun = true;
    this.#log();
  }

  /** The request failed for good; nothing upstream belongs to it any more. */
  fail(error: CirqueError): void {
    this.begun = true;
    this.#error = error;
    this.#request.context.counters.failures += 1;
    this.#call('failToProxy', (answer) => this.#failed(error, answer as FailToProxy | undefined));
  }

  #failed(error: CirqueError, outcome: FailToProxy | undefined): void {
    try {
      this.#answer(error, outcome);
    } catch (failure) {
      // Accessors of what phases gave us, and loggers, are code of others too.
      this.#report('failToProxy', failure);
      const { downstream, session } = this.#request;
      if (!downstream.responseStarted && downstream.writable) session.respondError(500);
    }
    this.#log();
  }

  #answer(error: CirqueError, outcome: FailToProxy | undefined): void {
    const { downstream, session, context, ctx } = this.#request;
    const wanted = statusFor(error);
    // Informational heads answer nothing.
    const status = wanted >= 100 && wanted < 200 ? 500 : wanted;
    if (outcome?.canReuseDownstream !== true) downstream.disableKeepAlive();
    if (!downstream.responseStarted && downstream.writable && status > 0) session.respondError(status);
    logFailure(context, session, error, outcome?.errorCode ?? session.responseHeader?.status ?? 0, ctx);
  }

  #log(): void {
    if (this.#request.context.hooks.logging === undefined) this.#keep();
    else this.#call('logging', () => this.#keep());
  }

  #keep(): void {
    if (this.#request.context.hooks.persistConnectionContext === undefined) this.#finish(undefined);
    else this.#call('persistConnectionContext', (kept) => this.#finish(kept));
  }

  #call(phase: LastPhase, then: (answer: unknown) => void): void {
    const { session, context, ctx } = this.#request;
    const { hooks, options, wheel } = context;
    const report = (error: unknown): void => {
      this.#report(phase, error);
      then(undefined);
    };
    let answer: unknown;
    try {
      if (phase === 'logging') answer = hooks.logging?.(session, this.#error, ctx);
      else if (phase === 'failToProxy') answer = hooks.failToProxy?.(session, this.#error as CirqueError, ctx);
      else answer = hooks.persistConnectionContext?.(session, ctx);
    } catch (error) {
      report(error);
      return;
    }
    if (isThenable(answer)) new PendingHook(phase, answer, options.hookTimeoutMs, wheel, then, report);
    else then(answer);
  }

  #report(what: string, thrown: unknown): void {
    try {
      const { context, session } = this.#request;
      logPhaseFailure(context, session, what, thrown);
    } catch {
      // A logger that fails cannot be told so; the request ends all the same.
    }
  }

  #finish(kept: unknown): void {
    if (this.over) return;
    const { downstream, session, context } = this.#request;
    this.over = true;
    try {
      logAccess(context, this.#request, this.#error);
    } catch (error) {
      this.#report('the access log', error);
    }
    const { bodyBytesReceived, bodyBytesSent } = session;
    context.counters.requestOver(session.responseHeader?.status ?? 0, bodyBytesReceived, bodyBytesSent);
    if (requestEnd.hasSubscribers) this.#publish();
    session.close();
    this.#request.downstreamModules?.close((error) => this.#report('a module', error));
    if (downstream.responseEnded) {
      downstream.connectionContext = kept;
      downstream.finish();
    } else {
      downstream.abort(this.#error ?? CirqueError.internal('InternalError', 'the response was not completed'));
    }
  }

  #publish(): void {
    const { session, ctx, peer } = this.#request;
    requestEnd.publish({ session, ctx, error: this.#error, peer });
  }
}
