/**
 * Texts that become part of HTTP messages: paths, patterns, field values, statuses.
 */
import type { z } from 'zod';
import { normalPath } from '../http/normal-path.ts';
import { integer, jsonText } from './basic-values.ts';
import { leaf, Refused } from './leaf.ts';
import { regexProblem } from './safe-regex.ts';
import { templateProblem } from './template.ts';

/** A text on one line: no control characters but tabs. */
const ONE_LINE = /^[\P{Cc}\t]*$/u;
/** What fields of a head cannot carry (RFC 9110 section 5.5). */
const BEYOND_LATIN1 = /[^\0-\xff]/;

/** No request that is served has such a path. */
const AMBIGUOUS = 'it leads above the root, hides where it leads, or has a percent sign that escapes nothing';

const ROOTED = /^\/[^?#\s\p{Cc}]*$/u;

/** A path of requests. */
export const path: z.ZodType<string> = leaf(
  {
    title: 'path',
    expects: 'a path that begins with a slash, without query',
    types: ['string'],
    json: jsonText(ROOTED),
  },
  (given) => {
    if (ROOTED.test(given)) return normalPath(given) === undefined ? new Refused(AMBIGUOUS) : given;
    if (/^[^/?#\s]+$/.test(given)) return new Refused(`write /${given}`);
    return new Refused(given.includes('?') ? 'queries are not matched' : undefined);
  },
);

/** A regular expression of JavaScript. */
export const pattern: z.ZodType<string> = leaf(
  { title: 'pattern', expects: 'a regular expression', types: ['string'], json: { type: 'string', maxLength: 1_000 } },
  (given) => {
    const problem = given === '' ? 'an empty one matches everything; leave it out' : regexProblem(given);
    return problem === undefined ? given : new Refused(problem, 'a usable regular expression');
  },
);

const ENCODE = 'characters above U+00FF cannot be sent: encode them';

/** The value of a header, with variables. */
export const headerTemplate: z.ZodType<string> = leaf(
  {
    title: 'text with variables',
    expects: 'a text on one line, without control characters',
    types: ['string'],
    json: { type: 'string' },
    secret: true,
  },
  (given) => (BEYOND_LATIN1.test(given) ? new Refused(ENCODE) : template(given)),
);

/** The value of a header as it is. */
export const headerText: z.ZodType<string> = leaf(
  {
    title: 'text',
    expects: 'a text on one line, without control characters',
    types: ['string'],
    json: { type: 'string' },
    secret: true,
  },
  (given) => {
    if (!ONE_LINE.test(given)) return new Refused();
    return BEYOND_LATIN1.test(given) ? new Refused(ENCODE) : given;
  },
);

/** Where a redirect leads. */
export const location: z.ZodType<string> = leaf(
  {
    title: 'text with variables',
    expects: 'a path that begins with a slash, or a URL',
    types: ['string'],
    json: { type: 'string' },
  },
  (given) => {
    if (!/^(?:\/|https?:\/\/|\$)/i.test(given) || /\s/.test(given)) return new Refused();
    return template(given);
  },
);

/** The status of a response. */
export const status: z.ZodType<number> = integer(200, 599);

/** Statuses: `200`, `200-299`, `200, 204`. */
export const statusRanges: z.ZodType<readonly (readonly [from: number, to: number])[]> = leaf(
  {
    title: 'statuses',
    expects: 'statuses such as 200, 200-299 or "200, 204, 300-399"',
    types: ['string', 'number'],
    json: {
      anyOf: [
        { type: 'integer', minimum: 100, maximum: 599 },
        jsonText(/^\s*\d{3}(-\d{3})?(\s*,\s*\d{3}(-\d{3})?)*\s*$/),
      ],
    },
  },
  (given: string | number) => {
    const ranges: [number, number][] = [];
    for (const one of String(given).split(',')) {
      const [, from, to = from] = /^\s*([1-5]\d\d)(?:-([1-5]\d\d))?\s*$/.exec(one) ?? [];
      if (from === undefined)
        return new Refused(/^[1-5]xx$/i.test(one.trim()) ? `write ${one.trim()[0]}00-${one.trim()[0]}99` : undefined);
      if (Number(to) < Number(from)) return new Refused('the smaller one comes first');
      ranges.push([Number(from), Number(to)]);
    }
    return ranges;
  },
);

/** A URL of http or https. */
export const url: z.ZodType<string> = leaf(
  { title: 'URL', expects: 'a URL of http or https', types: ['string'], json: jsonText(/^https?:\/\/.+$/) },
  (given) => (/^https?:\/\//.test(given) && URL.canParse(given) ? given : new Refused()),
);

function template(given: string): string | Refused {
  if (!ONE_LINE.test(given)) return new Refused();
  const problem = templateProblem(given);
  return problem === undefined ? given : new Refused(problem, 'a text whose variables are known');
}
