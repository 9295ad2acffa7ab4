/**
 * Plain kinds of values: texts, switches, numbers, words of a list.
 */
import { nearestWord } from '@cirque/core';
import type { z } from 'zod';
import { type JsonForm, leaf, Refused, type Scalar } from './leaf.ts';

/** True or false. */
export const flag: z.ZodType<boolean> = leaf(
  { title: 'true, false', expects: 'true or false', types: ['boolean'], json: { type: 'boolean' } },
  (given: boolean) => given,
);

/** `true` where only that makes sense: a setting without settings of its own. */
export const on: z.ZodType<true> = leaf(
  { title: 'true', expects: 'true', types: ['boolean'], json: { const: true } },
  (given: boolean) => given || new Refused('leave it out'),
);

/** Any text without control characters but line breaks and tabs. */
export const anyText: z.ZodType<string> = text('text', 'a text', /^[\P{Cc}\t\n\r]*$/u);

/** A whole number. */
export function integer(least: number, most: number): z.ZodType<number> {
  const expects = `a whole number from ${least} to ${most}`;
  const json = { type: 'integer', minimum: least, maximum: most };
  return leaf({ title: `${least} to ${most}`, expects, types: ['number'], json }, (given: number) =>
    Number.isInteger(given) && given >= least && given <= most ? given : new Refused(),
  );
}

/** A text of a form. */
export function text(title: string, expects: string, pattern: RegExp, hint?: (given: string) => string | undefined) {
  return leaf({ title, expects, types: ['string'], json: jsonText(pattern) }, (given) =>
    pattern.test(given) ? given : new Refused(hint?.(given)),
  ) as z.ZodType<string>;
}

/** JSON Schema of a text. Patterns are those of unicode mode there, and have no other flags. */
export function jsonText(pattern: RegExp): JsonForm {
  return { type: 'string', pattern: pattern.source };
}

/** Other words for the same thing, as other programs spell it, with the right ones. */
export type Synonyms = Readonly<Record<string, string>>;

/** One word of a list, given as it is. */
export function choice<const W extends Scalar>(words: readonly W[], synonyms: Synonyms = {}): z.ZodType<W> {
  const expects = words.length === 1 ? String(words[0]) : `one of ${words.join(', ')}`;
  const types = [...new Set(words.map((word) => typeof word as 'string' | 'number' | 'boolean'))];
  return leaf({ title: words.join(', '), expects, types, json: { enum: words } }, (given: Scalar) =>
    words.includes(given as W)
      ? (given as W)
      : new Refused(typeof given === 'string' ? nearest(given, words.map(String), synonyms) : undefined),
  );
}

/** The sentence that offers the nearest right word. */
export function nearest(given: string, words: readonly string[], synonyms: Synonyms = {}): string | undefined {
  const plain = given
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
  const known = Object.hasOwn(synonyms, plain) ? synonyms[plain] : undefined;
  const word = known ?? words.find((one) => one === plain) ?? nearestWord(plain, words) ?? nearestWord(given, words);
  return word === undefined ? undefined : `did you mean ${word}?`;
}
