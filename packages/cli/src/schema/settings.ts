/**
 * Maps of settings: which keys there are, what each means, and rules that concern several of them.
 *
 * Unlike zod's own strict objects they go on after a problem: unknown keys and broken rules are all reported at once.
 */
import { z } from 'zod';
import { nearest, type Synonyms } from './basic-values.ts';
import type { IssueFacts } from './leaf.ts';

/** Reports a problem. `path` begins at the map. */
export type Refuse = (path: readonly PropertyKey[], message: string, facts?: IssueFacts) => void;

/** Looks at several settings together. Those with problems of their own may have any value, or none. */
export type Rule = (given: Readonly<Record<string, unknown>>, refuse: Refuse) => void;

/** What a map takes besides its settings. */
export interface SettingsOptions {
  /** What it is, with its article: "a udp listener". */
  readonly what: string;
  readonly rules?: readonly Rule[];
  /** Keys that are passed over. */
  readonly ignore?: RegExp;
  /** Keys that somebody may expect, with the reason why there is no such key, or with what to write. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Keys as other programs spell them. */
  readonly synonyms?: Synonyms;
}

/** What JSON Schema needs to know of a map. */
export interface SettingsForm {
  readonly what: string;
  readonly ignore: RegExp | undefined;
}

/** The maps made by {@link settings}. */
export const settingsForms: z.core.$ZodRegistry<SettingsForm> = z.registry<SettingsForm>();

/** A schema for a map of settings. */
export function settings<S extends z.core.$ZodLooseShape>(
  shape: S,
  options: SettingsOptions,
): z.ZodObject<z.core.util.Writeable<S>, z.core.$loose> {
  const rules = [unknownKeys(Object.keys(shape), options), ...(options.rules ?? [])];
  const schema = z.looseObject(shape).superRefine(
    (given, { issues }) => {
      const refuse: Refuse = (path, message, facts = {}) => {
        issues.push({ code: 'custom', message, path: [...path], params: { ...facts }, input: given });
      };
      for (const rule of rules) rule(given as Record<string, unknown>, refuse);
    },
    { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  );
  settingsForms.add(schema, { what: options.what, ignore: options.ignore });
  return schema;
}

/** A setting with a default, as it is spelled in a file. */
export function setting<T>(schema: z.ZodType<T>, meaning: string, fallback: unknown): z.ZodType<T> {
  return schema.prefault(fallback).describe(meaning) as z.ZodType<T>;
}

/** A setting that may be absent, which means "none" where its meaning does not say otherwise. */
export function optional<T>(schema: z.ZodType<T>, meaning: string): z.ZodOptional<z.ZodType<T>> {
  return schema.optional().describe(meaning.includes('Default: ') ? meaning : `${meaning} Default: none.`);
}

/** A setting that must be there. */
export function required<T>(schema: z.ZodType<T>, meaning: string): z.ZodType<T> {
  return schema.describe(meaning);
}

/** Exactly one of these keys must be there. */
export function exactlyOne(keys: readonly string[], what: string): Rule {
  return (given, refuse) => {
    const found = keys.filter((key) => given[key] !== undefined);
    if (found.length === 0) refuse([], `needs ${what}: one of ${keys.join(', ')}`);
    for (const key of found.slice(1))
      refuse([key], `cannot be there beside ${found[0]}: keep one of them`, { key: true });
  };
}

/** `key` makes no sense without `other`. */
export function onlyWith(key: string, other: string): Rule {
  return (given, refuse) => {
    if (given[key] !== undefined && given[other] === undefined)
      refuse([key], `needs ${other} beside it: add ${other}, or remove ${key}`, { key: true });
  };
}

function unknownKeys(known: readonly string[], { what, ignore, refused = {}, synonyms = {} }: SettingsOptions): Rule {
  const isKnown = new Set(known);
  return (given, refuse) => {
    for (const key of Object.keys(given)) {
      if (isKnown.has(key) || ignore?.test(key) === true) continue;
      const reason = Object.hasOwn(refused, key) ? refused[key] : undefined;
      const hint = reason ?? nearest(key, known, synonyms) ?? `it has ${known.join(', ')}`;
      refuse([key], `is no setting of ${what}`, { key: true, hint });
    }
  };
}
