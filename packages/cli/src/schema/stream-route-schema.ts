/**
 * A route of a tcp listener: which connections it is for, by their first bytes and by their clients.
 */
import type { z } from 'zod';
import type { StreamRouteConfig } from '../config/gateway-config.ts';
import { network } from './address-values.ts';
import { text } from './basic-values.ts';
import { leaf, Refused } from './leaf.ts';
import { oneOrMore } from './lists.ts';
import { hostPattern, plainName, upstreamName } from './name-values.ts';
import { optional, required, settings } from './settings.ts';

/** A route whose name may still be missing. */
export type UnnamedStreamRoute = Omit<StreamRouteConfig, 'name'> & { readonly name: string | undefined };

/** Names of application protocols (RFC 7301) are up to 255 bytes. */
const protocol = text('protocol', 'the name of a protocol such as h2, at most 255 characters', /^[\x21-\x7e]{1,255}$/);

/** Bytes as latin1. */
const bytes = leaf(
  {
    title: 'text',
    expects: 'from 1 to 1,024 characters of latin1, each a byte',
    types: ['string'],
    json: { type: 'string', minLength: 1, maxLength: 1_024 },
  },
  (given) =>
    given.length >= 1 && given.length <= 1_024 && Buffer.from(given, 'latin1').toString('latin1') === given
      ? given
      : new Refused(),
);

/** One route. */
export const streamRoute: z.ZodType<UnnamedStreamRoute> = settings(
  {
    name: optional(plainName, 'Names the route in logs. Default: its place, `routes[0]` and so on.'),
    sni: optional(oneOrMore(hostPattern), 'Server names of the TLS handshake: `a.example`, `*.example`. Default: all.'),
    alpn: optional(oneOrMore(protocol), 'Protocols of which the client offers one in its TLS handshake. Default: all.'),
    http_host: optional(oneOrMore(hostPattern), 'The Host of a HTTP/1 request. Default: all.'),
    prefix: optional(bytes, 'The first bytes, as latin1. Default: all.'),
    clients: optional(oneOrMore(network), 'Networks of clients. Default: all.'),
    upstream: required(upstreamName, 'The name of the upstream.'),
  },
  {
    what: 'a route of a tcp listener',
    synonyms: { host: 'sni', server_name: 'sni', proxy: 'upstream', proxy_pass: 'upstream', from: 'clients' },
    refused: { match: 'write sni, alpn, http_host, prefix or clients beside upstream' },
  },
).transform(({ name, sni, alpn, http_host, prefix, clients, upstream }) => ({
  name,
  sni,
  alpn,
  httpHost: http_host,
  prefix,
  clients,
  upstream,
}));

/** A route for everything. */
export function streamTo(upstream: string): UnnamedStreamRoute {
  return {
    name: undefined,
    sni: undefined,
    alpn: undefined,
    httpHost: undefined,
    prefix: undefined,
    clients: undefined,
    upstream,
  };
}
