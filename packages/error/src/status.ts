/**
 * The public default mapping from an error to the status the client sees.
 *
 * The only place that knows it: `failToProxy` uses it, and users who override that phase can call it. Departs from
 * Pingora on purpose: upstream deadlines are 504, not 502, and a client that was too slow gets 408, not 400.
 */
import type { CirqueError } from './cirque-error.ts';

const UPSTREAM_DEADLINES: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'ConnectTimedout',
  'TLSHandshakeTimedout',
  'ReadTimedout',
  'WriteTimedout',
]);

/** After these the client can no longer be reached. */
const CLIENT_GONE: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'ReadError',
  'WriteError',
  'WriteTimedout',
  'ConnectionClosed',
]);

/**
 * The HTTP status to answer this error with; 0 means that nothing can be sent.
 *
 * An explicit `status` wins. Else by source: upstream deadlines 504 and other upstream errors 502 (RFC 9110
 * sections 15.6.3 and 15.6.5); of the client's errors a read deadline is 408 (15.5.9), a broken connection 0, the
 * rest 400; what is our own fault, or nobody's, is 500.
 */
export function statusFor(error: CirqueError): number {
  if (error.status !== undefined) return error.status;
  switch (error.source) {
    case 'Upstream':
      return UPSTREAM_DEADLINES.has(error.type) ? 504 : 502;
    case 'Downstream':
      if (CLIENT_GONE.has(error.type)) return 0;
      return error.type === 'ReadTimedout' ? 408 : 400;
    case 'Internal':
    case 'Unset':
      return 500;
  }
}
