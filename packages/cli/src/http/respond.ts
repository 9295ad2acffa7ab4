/**
 * Answers that the gateway gives by itself: a fixed response, or a redirect.
 */
import { HeaderMap } from '@cirque/http';
import type { RedirectActionConfig, RespondActionConfig } from '../config/gateway-config.ts';
import type { HeaderEdits } from './header-edits.ts';
import { type RedirectFacts, redirectOf } from './redirect.ts';

/** Writes the response. */
export type Answer = (facts: RedirectFacts) => void;

/** These never have a body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws CirqueError for a content type that cannot be sent. */
export function respondOf({ body, contentType, status }: RespondActionConfig, edits: HeaderEdits | undefined): Answer {
  const bytes = Buffer.from(WITHOUT_BODY.has(status) ? '' : body);
  const fields = HeaderMap.from(bytes.length === 0 ? [] : [['Content-Type', contentType]]);
  return (facts) => {
    const headers = fields.clone();
    edits?.(headers, facts);
    facts.session.respond(status, bytes, headers);
  };
}

/** @throws TypeError for an unknown variable in the location. */
export function redirectAnswerOf({ location, status }: RedirectActionConfig, edits: HeaderEdits | undefined): Answer {
  const redirect = redirectOf(location);
  return (facts) => {
    const headers = HeaderMap.from([['Location', redirect(facts)]]);
    edits?.(headers, facts);
    facts.session.respond(status, '', headers);
  };
}
