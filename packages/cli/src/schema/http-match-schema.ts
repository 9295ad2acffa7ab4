/**
 * Which requests a route is for.
 */
import { z } from 'zod';
import type { HeaderMatchConfig, HttpMatchConfig } from '../config/gateway-config.ts';
import { flag } from './basic-values.ts';
import { headerText, path, pattern } from './http-values.ts';
import { mapOf, oneOrMore } from './lists.ts';
import { headerName, hostPattern, methodName } from './name-values.ts';
import { exactlyOne, optional, settings } from './settings.ts';

const NOTHING: HeaderMatchConfig = { exact: undefined, regex: undefined, present: undefined };

const headerMatch: z.ZodType<HeaderMatchConfig> = z.union([
  headerText.transform((exact) => ({ ...NOTHING, exact })),
  flag.transform((present) => ({ ...NOTHING, present })),
  settings(
    {
      exact: optional(headerText, 'The value, exactly.'),
      regex: optional(pattern, 'A regular expression that fits the value.'),
      present: optional(flag, 'true: the header is there; false: it is not.'),
    },
    { what: 'a match of a header', rules: [exactlyOne(['exact', 'regex', 'present'], 'a test')] },
  ).transform(({ exact, regex, present }) => ({ exact, regex, present })),
]);

const matchSettings = settings(
  {
    host: optional(
      oneOrMore(hostPattern),
      'Hosts without port: `a.example`, `*.example`; one or a list. Default: all.',
    ),
    path: optional(path, 'A path and everything below it: `/api` fits `/api` and `/api/x`, not `/apix`. Default: all.'),
    exact: optional(path, 'The whole path. Default: all.'),
    regex: optional(pattern, 'A regular expression that fits the path. Default: all.'),
    methods: optional(oneOrMore(methodName), 'Methods: one or a list. Default: all.'),
    headers: optional(
      mapOf(headerName, headerMatch),
      'Headers: a value, `true` (is there), `false` (is not), `{ regex: ... }`. Default: any.',
    ),
  },
  {
    what: 'a match',
    synonyms: {
      hosts: 'host',
      location: 'path',
      prefix: 'path',
      method: 'methods',
      header: 'headers',
      server_name: 'host',
    },
  },
).transform(
  ({ host, path, exact, regex, methods, headers }): HttpMatchConfig => ({
    hosts: host,
    path,
    exact,
    regex,
    methods,
    headers: lowerCaseNames(headers ?? {}),
  }),
);

/** The match of a route without one: every request. */
export const MATCH_ALL: HttpMatchConfig = {
  hosts: undefined,
  path: undefined,
  exact: undefined,
  regex: undefined,
  methods: undefined,
  headers: {},
};

/** A match; a path alone is a short form. */
export const httpMatch: z.ZodType<HttpMatchConfig> = z.union([
  path.transform((prefix): HttpMatchConfig => ({ ...MATCH_ALL, path: prefix })),
  matchSettings,
]);

function lowerCaseNames<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name.toLowerCase(), value]));
}
