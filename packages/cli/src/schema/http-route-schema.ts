/**
 * A route of a HTTP listener.
 */
import type { z } from 'zod';
import type { HeaderEditsConfig, HttpActionConfig, HttpRouteConfig } from '../config/gateway-config.ts';
import { flag } from './basic-values.ts';
import { proxyAction, redirectAction, respondAction } from './http-action-schema.ts';
import { httpMatch, MATCH_ALL } from './http-match-schema.ts';
import { headerTemplate } from './http-values.ts';
import { anyNumber, mapOf } from './lists.ts';
import { editableHeaderName, plainName } from './name-values.ts';
import { size } from './quantities.ts';
import { groupCount, regexProblem } from './safe-regex.ts';
import { exactlyOne, optional, type Rule, setting, settings } from './settings.ts';
import { groupProblem, VARIABLE_LIST } from './template.ts';

/** A route whose name may still be missing. */
export type UnnamedRoute = Omit<HttpRouteConfig, 'name'> & { readonly name: string | undefined };

const headerEdits: z.ZodType<HeaderEditsConfig> = settings(
  {
    remove: setting(anyNumber(editableHeaderName), 'Names: one or a list.', []),
    set: setting(mapOf(editableHeaderName, headerTemplate), 'Values by name, in the place of what was there.', {}),
    add: setting(mapOf(editableHeaderName, headerTemplate), 'Values by name, beside what was there.', {}),
  },
  {
    what: 'header edits',
    synonyms: { delete: 'remove', unset: 'remove', replace: 'set', append: 'add' },
  },
).transform(({ remove, set, add }) => ({ remove, set, add }));

const NO_EDITS: HeaderEditsConfig = { remove: [], set: {}, add: {} };

/** One route. */
export const httpRoute: z.ZodType<UnnamedRoute> = settings(
  {
    name: optional(plainName, 'Names the route in logs. Default: its place, `routes[0]` and so on.'),
    match: optional(httpMatch, 'Which requests it is for; a path is the short form. Default: all.'),
    proxy: optional(proxyAction, 'Passes requests on: the name of an upstream, or settings.'),
    redirect: optional(redirectAction, 'Sends clients elsewhere: a location, or settings.'),
    respond: optional(respondAction, 'Answers: a status, a text, or settings.'),
    request_headers: optional(headerEdits, `Changes of the request. Values may hold ${VARIABLE_LIST}.`),
    response_headers: optional(headerEdits, 'Changes of the response, with the same variables.'),
    max_body: setting(size, 'Largest request body; a larger one gets 413. 0: no limit.', 0),
    compression: setting(flag, 'Compresses responses for clients that accept it.', false),
  },
  {
    what: 'a route',
    rules: [exactlyOne(['proxy', 'redirect', 'respond'], 'an action'), groupsOfMatch],
    synonyms: {
      upstream: 'proxy',
      proxy_pass: 'proxy',
      return: 'respond',
      location: 'match',
      client_max_body_size: 'max_body',
      gzip: 'compression',
      add_header: 'response_headers',
      proxy_set_header: 'request_headers',
    },
  },
).transform(
  ({
    name,
    match,
    proxy,
    redirect,
    respond,
    request_headers,
    response_headers,
    max_body,
    compression,
  }): UnnamedRoute => ({
    name,
    match: match ?? MATCH_ALL,
    action: (proxy ?? redirect ?? respond) as HttpActionConfig,
    requestHeaders: request_headers ?? NO_EDITS,
    responseHeaders: response_headers ?? NO_EDITS,
    maxBodyBytes: max_body,
    compression,
  }),
);

/** A route for everything. */
export function catchAll(action: HttpActionConfig): UnnamedRoute {
  return {
    name: undefined,
    match: MATCH_ALL,
    action,
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    maxBodyBytes: 0,
    compression: false,
  };
}

/** `$1` in a redirect needs a group in the match. */
export function groupsOfMatch(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const redirect = given.redirect as { location?: unknown } | undefined;
  const location = redirect?.location;
  if (typeof location !== 'string') return;
  const regex = (given.match as { regex?: unknown } | undefined)?.regex;
  if (typeof regex === 'string' && regexProblem(regex) !== undefined) return;
  const problem =
    typeof regex === 'string'
      ? groupProblem(location, 'regex of its match', groupCount(regex))
      : groupProblem(location, 'a match without regex', 0);
  if (problem !== undefined) refuse(['redirect'], problem);
}
