/**
 * The module that answers If-None-Match and If-Modified-Since with 304 when the response that came is the one the
 * client has. For origins that send validators and do not look at them.
 */
import { isNotModified, toNotModified } from '../conditional.ts';
import type { HttpModule, HttpModuleBuilder } from '../http-module.ts';
import type { RequestHeader } from '../request-header.ts';
import type { ResponseHeader } from '../response-header.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

/** At work on one request. */
export class ConditionalRequests implements HttpModule {
  readonly #request: RequestHeader;
  #dropsBody = false;

  constructor(request: RequestHeader) {
    this.#request = request;
  }

  responseHeaderFilter(response: ResponseHeader): void {
    this.#dropsBody = isNotModified(this.#request, response);
    if (this.#dropsBody) toNotModified(response);
  }

  responseBodyFilter(): Uint8Array | undefined {
    return this.#dropsBody ? NOTHING : undefined;
  }
}

/**
 * A builder of {@link ConditionalRequests}, for downstream modules. Order -4,096: it sees validators as other modules
 * leave them. Requests without a condition have no such module.
 */
export function conditionalRequests(): HttpModuleBuilder<ConditionalRequests> {
  return {
    name: 'conditionalRequests',
    order: -4_096,
    create: (request) => (isConditional(request) ? new ConditionalRequests(request) : undefined),
  };
}

function isConditional({ method, headers }: RequestHeader): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return headers.has('If-None-Match') || headers.has('If-Modified-Since');
}
