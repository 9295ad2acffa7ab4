/**
 * Sends the client elsewhere: the Location of a redirect.
 */
import { CirqueError } from '@cirque/error';
import type { Session } from '@cirque/proxy';
import { expandGroups } from './groups.ts';
import { HEADER_VARIABLES, type RequestFacts } from './request-facts.ts';
import { escapeForTarget } from './target-text.ts';
import { templateOf, type Variables } from './template.ts';

/** What a Location may say of a request. */
export interface RedirectFacts extends RequestFacts {
  /** In its normal form where it had dot segments, otherwise as it came. */
  readonly path: string;
  /** What the regular expression of the route has caught. */
  readonly groups: readonly (string | undefined)[] | undefined;
}

/** Makes the Location. @throws CirqueError HTTPStatus 400 where it needs a Host and the request has none. */
export type Redirect = (facts: RedirectFacts) => string;

const VARIABLES: Variables<RedirectFacts> = {
  ...HEADER_VARIABLES,
  host: ({ session }) => hostOf(session),
  // `*` of OPTIONS is no path, and would become part of a name before it.
  path: ({ path }) => (path.startsWith('/') ? path : '/'),
};

/**
 * A Location that begins with a path stays on this host, whatever a client puts into the path: `//evil.example` at its front
 * would be the name of another one.
 *
 * @throws TypeError for an unknown variable.
 */
export function redirectOf(location: string): Redirect {
  // What a client has sent must not look like a variable afterwards: groups are put in piece by piece, as variables are.
  const fill = templateOf<RedirectFacts>(location, VARIABLES, escapeForTarget, (text, { groups }) =>
    expandGroups(
      escapeLiteral(text),
      groups?.map((group) => escapeForTarget(group ?? '')),
    ),
  );
  const staysHere = !/^(?:[a-z][a-z0-9+.-]*:|\/\/|\$\{scheme\}:)/i.test(location);
  if (!staysHere) return fill;
  return (facts) => fill(facts).replace(/^(?:[/\\]|%5C)*/i, '/');
}

/** Without it, what follows in a location would be taken for the name: `https:///evil.example`. */
function hostOf({ requestHeader }: Session): string {
  const host = requestHeader.headers.get('Host') ?? '';
  if (host !== '') return host;
  throw CirqueError.http(400, 'the location needs a Host, and the request has none', { source: 'Downstream' });
}

/** The file may give a fragment, a client may not. */
function escapeLiteral(text: string): string {
  return text.split('#').map(escapeForTarget).join('#');
}
