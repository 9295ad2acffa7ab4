/**
 * Answers requests that came on the wrong connection with 421 (RFC 9110 section 15.5.20), before the application sees
 * them. In the way of those connections only whose TLS handshake has left a rule.
 */
import { CirqueError } from '@cirque/error';
import type { Digest } from '@cirque/transport';
import { errorResponse } from '../http/error-response.ts';
import type { RequestReceiver } from '../http/http1-server-session.ts';
import { NOBODY } from '../http/no-handler.ts';
import type { ServerSession } from '../http/server-session.ts';
import type { HostRule } from '../listeners/tls/host-rules.ts';

export class HostGuard implements RequestReceiver {
  readonly #app: RequestReceiver;
  readonly #rule: HostRule;

  constructor(app: RequestReceiver, rule: HostRule) {
    this.#app = app;
    this.#rule = rule;
  }

  processNewHttp(session: ServerSession): void {
    if (this.#rule(hostOf(session))) this.#app.processNewHttp(session);
    else this.#refuse(session);
  }

  refusedRequest(error: CirqueError, status: number, digest: Digest): void {
    this.#app.refusedRequest?.(error, status, digest);
  }

  #refuse(session: ServerSession): void {
    const context = `host ${JSON.stringify(hostOf(session) ?? '')} has other rules for client certificates`;
    const { digest } = session;
    session.handler = NOBODY;
    session.disableKeepAlive();
    session.writeHead(errorResponse(421), true);
    session.end();
    this.refusedRequest(CirqueError.http(421, context, { source: 'Downstream' }), 421, digest);
  }
}

/** The name that a request is for, without the port. */
function hostOf({ target, requestHeader }: ServerSession): string | undefined {
  return (target?.authority ?? requestHeader.headers.get('host'))?.replace(/:\d*$/, '');
}
