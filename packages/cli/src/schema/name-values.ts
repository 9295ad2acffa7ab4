/**
 * Names that protocols have rules for: fields, cookies, hosts, methods; and the names of upstreams.
 */
import { HOP_BY_HOP_FIELDS } from '@cirque/http';
import { plainServerName } from '@cirque/transport';
import type { z } from 'zod';
import { jsonText, text } from './basic-values.ts';
import { leaf, Refused } from './leaf.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Fields that say how a message is framed or what becomes of a connection; changing them breaks messages. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([...HOP_BY_HOP_FIELDS, 'content-length']);

/** The name of a field of a head (RFC 9110 section 5.1). */
export const headerName: z.ZodType<string> = text(
  'header name',
  'the name of a header such as X-Real-IP',
  TOKEN,
  (given) => (given.includes(':') ? 'write it without the colon' : undefined),
);

/** The name of a field that may be changed. */
export const editableHeaderName: z.ZodType<string> = leaf(
  {
    title: 'header name',
    expects: 'the name of a header such as X-Real-IP',
    types: ['string'],
    json: jsonText(TOKEN),
  },
  (given) => {
    if (!TOKEN.test(given)) return new Refused(given.includes(':') ? 'write it without the colon' : undefined);
    if (!CONNECTION_FIELDS.has(given.toLowerCase())) return given;
    return new Refused(
      '',
      `a header that does not frame messages or connections: ${given} is set by the gateway itself`,
    );
  },
);

/** The name of a cookie (RFC 6265 section 4.1.1). */
export const cookieName: z.ZodType<string> = text(
  'cookie name',
  "the name of a cookie: letters, digits and !#$%&'*+-.^_`|~",
  TOKEN,
);

/** A request method; they are case-sensitive. */
export const methodName: z.ZodType<string> = text(
  'method',
  'a method in capitals such as GET',
  /^[A-Z][A-Z0-9_-]*$/,
  (given) => (TOKEN.test(given) ? `write ${given.toUpperCase()}` : undefined),
);

/** The name of an upstream, a listener or a route. */
export const plainName: z.ZodType<string> = text(
  'name',
  'a name: letters, digits, _, - and dots, a letter or digit first',
  PLAIN_NAME,
);

/** A name that leads to an upstream. */
export const upstreamName: z.ZodType<string> = text('name', 'the name of an upstream', PLAIN_NAME);

/** `a.example` or `*.example`, in lower case. */
export const hostPattern: z.ZodType<string> = leaf(
  {
    title: 'host',
    expects: 'a host such as a.example or *.example',
    types: ['string'],
    json: jsonText(/^(\*\.)?[A-Za-z0-9_-][A-Za-z0-9._-]*$|^[0-9a-fA-F:]+$/),
  },
  (given) => {
    const inner = given.startsWith('*.') ? given.slice(2) : given;
    const plain = plainServerName(inner);
    if (plain !== undefined && !plain.includes('..') && !plain.startsWith('.'))
      return given.startsWith('*.') ? `*.${plain}` : plain;
    if (/^[0-9a-f:]+$/i.test(given) && given.includes('::')) return given.toLowerCase();
    return new Refused(hostHint(given));
  },
);

/** A name that is looked up or sent by TLS. */
export const hostName: z.ZodType<string> = text(
  'host name',
  'a host name such as db.internal',
  /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/,
  (given) => (given.includes(':') ? 'write the name alone, without port or scheme' : undefined),
);

function hostHint(given: string): string | undefined {
  if (given === '*' || given === '') return 'leave host out to match every host';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return 'write the host alone, without the scheme';
  if (/:\d+$/.test(given)) return `write the host without its port: ${given.replace(/:\d+$/, '')}`;
  if (given.startsWith('~')) return 'patterns are not for hosts; use *.example';
  if (given.startsWith('.')) return `write *${given}`;
  if (given.includes('*')) return 'a star stands for the first labels only: *.example';
  return /[^\x20-\x7e]/.test(given) ? 'write it in its ASCII form: xn--...' : undefined;
}
