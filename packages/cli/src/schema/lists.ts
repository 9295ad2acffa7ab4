/**
 * Lists and maps of values, with the short forms that they have.
 */
import { z } from 'zod';

/** One or several: `GET` or `[GET, POST]`. An empty list is refused. */
export function oneOrMore<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.union([item.transform((one): readonly T[] => [one]), z.array(item).min(1)]);
}

/** Any number: `X-A` or `[X-A, X-B]` or `[]`. */
export function anyNumber<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.union([item.transform((one): readonly T[] => [one]), z.array(item)]);
}

/** A map from names to values. */
export function mapOf<T>(name: z.ZodType<string>, item: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.record(name as z.ZodType<string, string>, item);
}
