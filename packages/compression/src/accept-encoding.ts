/**
 * What a client accepts, and the choice between codings (RFC 9110 section 12.5.3).
 *
 * Weights count, `identity` and `*` included; the server's preference decides between equal weights only.
 */
import { trimBlanks } from '@cirque/http';
import { type Algorithm, CODING_OF } from './algorithm.ts';

/** qvalue: 0 to 1 with up to three decimals (RFC 9110 section 12.4.2). */
const WEIGHT = /^[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** The weights of an Accept-Encoding value by lower-case coding; `x-gzip` counts as `gzip`. Malformed members are left out. */
export function parseAcceptEncoding(value: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of value.split(',')) {
    const semicolon = member.indexOf(';');
    const token = trimBlanks(semicolon < 0 ? member : member.slice(0, semicolon)).toLowerCase();
    const weight = semicolon < 0 ? 1 : Number(WEIGHT.exec(trimBlanks(member.slice(semicolon + 1)))?.[1]);
    const coding = token === 'x-gzip' ? 'gzip' : token;
    if (coding !== '' && !Number.isNaN(weight) && !weights.has(coding)) weights.set(coding, weight);
  }
  return weights;
}

/** How much a content coding is wanted; 0: not acceptable. */
export function codingWeight(weights: ReadonlyMap<string, number>, coding: string): number {
  return weights.get(coding) ?? weights.get('*') ?? 0;
}

/** What came out of a negotiation. */
export interface Negotiated {
  /** The algorithm to compress with; undefined: send as it is. */
  readonly algorithm: Algorithm | undefined;
  /** The client said that it cannot use what is not encoded: `identity;q=0`, or `*;q=0`. */
  readonly identityRefused: boolean;
}

/**
 * Chooses among what is offered, in the order of preference. A missing field is an empty value here: every coding would be
 * acceptable, but who says nothing mostly decodes nothing. `identity` wins only where it is wanted more than any other.
 */
export function negotiate(acceptEncoding: string, offered: readonly Algorithm[]): Negotiated {
  const weights = parseAcceptEncoding(acceptEncoding);
  const identity = weights.get('identity') ?? weights.get('*');
  let algorithm: Algorithm | undefined;
  let best = 0;
  for (const one of offered) {
    const weight = codingWeight(weights, CODING_OF[one]);
    if (weight <= best) continue;
    best = weight;
    algorithm = one;
  }
  return { algorithm: best >= (identity ?? 0) ? algorithm : undefined, identityRefused: identity === 0 };
}
