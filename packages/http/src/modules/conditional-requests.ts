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
  /** There only where the body is dropped. */
  responseBodyFilter?: () => Uint8Array;

  constructor(request: RequestHeader) {
    this.#request = request;
  }

  responseHeaderFilter(response: ResponseHeader): void {
    if (!isNotModified(this.#request, response)) return;
    toNotModified(response);
    this.responseBodyFilter = () => NOTHING;
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
