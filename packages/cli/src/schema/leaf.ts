/**
 * Values that are one scalar in the file: what fits, in words and for JSON Schema, and how it is read.
 *
 * Every check of a scalar goes through here, so that all are refused in the same words. Those are put together by
 * config/describe-issue.ts.
 */
import { z } from 'zod';

/** What a scalar of a file can be. */
export type Scalar = string | number | boolean;

/** The part of JSON Schema that says what fits. */
export type JsonForm = Readonly<Record<string, unknown>>;

/** A kind of value. */
export interface LeafForm {
  /** One or two words for tables: `duration`. */
  readonly title: string;
  /** The end of the sentence "must be ...". */
  readonly expects: string;
  readonly types: readonly ('string' | 'number' | 'boolean')[];
  readonly json: JsonForm;
  /** The value is never shown. */
  readonly secret?: boolean;
}

/** A value that does not fit. */
export class Refused {
  /** Said in the place of the form's own words. */
  readonly expects: string | undefined;
  /** What to write instead, or why. */
  readonly hint: string | undefined;

  constructor(hint?: string, expects?: string) {
    this.hint = hint;
    this.expects = expects;
  }
}

/** What an issue of ours carries besides its message. */
export interface IssueFacts {
  /** The value is of another type than this schema is for: another one of a union may be meant. */
  readonly mismatch?: boolean;
  readonly expects?: string;
  readonly hint?: string | undefined;
  readonly secret?: boolean;
  /** The path leads to a key, not to a value: the key is what is wrong. */
  readonly key?: boolean;
}

/** The forms of the schemas made by {@link leaf}. */
export const leafForms: z.core.$ZodRegistry<LeafForm> = z.registry<LeafForm>();

/** A schema for one scalar. `read` gets values of the form's types only. */
export function leaf<T, Given extends Scalar = string>(
  form: LeafForm,
  read: (given: Given) => T | Refused,
): z.ZodType<T> {
  const schema = z.unknown().transform((given, context): T => {
    const fits = (form.types as readonly string[]).includes(typeof given);
    const value = fits ? read(given as Given) : new Refused(typeHint(form, given));
    if (!(value instanceof Refused)) return value;
    const { hint, expects = form.expects } = value;
    const params: IssueFacts = { mismatch: !fits, expects, hint, secret: form.secret === true };
    context.issues.push({ code: 'custom', message: `must be ${expects}`, params: { ...params }, input: given });
    return z.NEVER;
  });
  leafForms.add(schema, form);
  return schema;
}

/** What YAML makes of unquoted words is the commonest mistake of all. */
function typeHint({ types }: LeafForm, given: unknown): string | undefined {
  const wantsText = types.includes('string');
  if (wantsText && (typeof given === 'number' || typeof given === 'boolean')) return 'write it in quotes';
  if (wantsText || typeof given !== 'string') return undefined;
  if (types.includes('boolean') && /^(?:yes|on|y)$/i.test(given)) return 'write true';
  if (types.includes('boolean') && /^(?:no|off|n)$/i.test(given)) return 'write false';
  if (types.includes('boolean') && /^(?:true|false)$/i.test(given)) return 'write it without quotes';
  return types.includes('number') && /^\d+$/.test(given) ? 'write it without quotes' : undefined;
}
