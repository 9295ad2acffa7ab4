/**
 * What becomes of a request: it is passed on, sent elsewhere, or answered.
 */
import { z } from 'zod';
import type {
  ProxyActionConfig,
  RedirectActionConfig,
  RespondActionConfig,
  RewriteConfig,
} from '../config/gateway-config.ts';
import { anyText, choice, integer, text } from './basic-values.ts';
import { headerText, location, path, pattern, status } from './http-values.ts';
import { upstreamName } from './name-values.ts';
import { positiveDuration } from './quantities.ts';
import { groupCount, regexProblem } from './safe-regex.ts';
import { onlyWith, optional, type Rule, required, setting, settings } from './settings.ts';
import { groupProblem, VARIABLE_LIST } from './template.ts';

const DEFAULT_RETRIES = 2;

const replacement = text(
  'text with $1',
  'a path, in which $1 and so on are groups of regex',
  /^[/$][^\s\p{Cc}]*$/u,
  (given) => (/^[^/$\s]+$/.test(given) ? `write /${given}` : undefined),
);

/** What to send as Host. */
const hostPolicy = text(
  'keep, upstream, host',
  'keep, upstream, or a host with or without port',
  /^[A-Za-z0-9_[][A-Za-z0-9._:\]-]*$/,
);

const rewrite: z.ZodType<RewriteConfig> = settings(
  {
    strip_prefix: optional(path, 'Removed from the front of the path. Default: nothing.'),
    add_prefix: optional(path, 'Put in front of the path. Default: nothing.'),
    regex: optional(pattern, 'A regular expression on the path; what fits becomes `replacement`.'),
    replacement: optional(replacement, 'What becomes of it; `$1` and so on are groups.'),
  },
  {
    what: 'a rewrite',
    rules: [onlyWith('regex', 'replacement'), onlyWith('replacement', 'regex'), groupsOf('regex', 'replacement')],
    synonyms: { prefix: 'strip_prefix', replace: 'replacement', with: 'replacement' },
  },
).transform(({ strip_prefix, add_prefix, regex, replacement }) => ({
  stripPrefix: strip_prefix,
  addPrefix: add_prefix,
  regex,
  replacement,
}));

/** Passes requests on; the name of an upstream is a short form. */
export const proxyAction: z.ZodType<ProxyActionConfig> = z.union([
  upstreamName.transform((upstream) => proxyTo(upstream)),
  settings(
    {
      upstream: required(upstreamName, 'The name of the upstream.'),
      rewrite: optional(rewrite, 'Changes the path that is sent.'),
      host: setting(
        hostPolicy,
        "Host to send: `keep` (the client's), `upstream` (that of the server chosen), or a text.",
        'keep',
      ),
      retries: setting(integer(0, 100), 'Further attempts after a failure that allows them.', DEFAULT_RETRIES),
      read_timeout: optional(
        positiveDuration,
        'Time between two reads while the response is due. Default: that of the upstream.',
      ),
    },
    {
      what: 'a proxy action',
      synonyms: { to: 'upstream', proxy_read_timeout: 'read_timeout', timeout: 'read_timeout' },
    },
  ).transform(
    ({ upstream, rewrite, host, retries, read_timeout }): ProxyActionConfig => ({
      kind: 'proxy',
      upstream,
      rewrite,
      host,
      retries,
      readTimeoutMs: read_timeout,
    }),
  ),
]);

/** The action of `upstream: name`. */
export function proxyTo(upstream: string): ProxyActionConfig {
  return {
    kind: 'proxy',
    upstream,
    rewrite: undefined,
    host: 'keep',
    retries: DEFAULT_RETRIES,
    readTimeoutMs: undefined,
  };
}

/** Sends clients elsewhere; the location is a short form. */
export const redirectAction: z.ZodType<RedirectActionConfig> = z.union([
  location.transform((to): RedirectActionConfig => ({ kind: 'redirect', location: to, status: 302 })),
  settings(
    {
      location: required(
        location,
        `Where to. It may hold ${VARIABLE_LIST} (the query with its question mark), and $1 for a group of the regex.`,
      ),
      status: setting(choice([301, 302, 303, 307, 308]), 'The status: 301 and 308 are for ever, and are cached.', 302),
    },
    { what: 'a redirect', synonyms: { to: 'location', url: 'location', code: 'status' } },
  ).transform(({ location, status }): RedirectActionConfig => ({ kind: 'redirect', location, status })),
]);

const RESPONSE = { kind: 'respond', status: 200, body: '', contentType: 'text/plain; charset=utf-8' } as const;

/** Answers; a status or a text alone is a short form. */
export const respondAction: z.ZodType<RespondActionConfig> = z.union([
  status.transform((code): RespondActionConfig => ({ ...RESPONSE, status: code })),
  anyText.transform((body): RespondActionConfig => ({ ...RESPONSE, body })),
  settings(
    {
      status: setting(status, 'The status.', RESPONSE.status),
      body: setting(anyText, 'The body.', RESPONSE.body),
      content_type: setting(headerText, 'The Content-Type of the body.', RESPONSE.contentType),
    },
    { what: 'a response', rules: [bodyFits], synonyms: { code: 'status', text: 'body', type: 'content_type' } },
  ).transform(
    ({ status, body, content_type }): RespondActionConfig => ({
      kind: 'respond',
      status,
      body,
      contentType: content_type,
    }),
  ),
]);

/** `$1` in one setting needs a group in the other. */
function groupsOf(patternKey: string, textKey: string): Rule {
  return (given, refuse) => {
    const { [patternKey]: regex, [textKey]: text } = given;
    if (typeof regex !== 'string' || typeof text !== 'string' || regexProblem(regex) !== undefined) return;
    const problem = groupProblem(text, patternKey, groupCount(regex));
    if (problem !== undefined) refuse([textKey], problem);
  };
}

function bodyFits(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const empty = given.status === 204 || given.status === 205 || given.status === 304;
  if (empty && given.body !== '') refuse(['body'], `cannot go with status ${String(given.status)}, which has no body`);
}
