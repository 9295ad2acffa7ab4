/**
 * Times, sizes and shares, as people write them.
 */
import type { z } from 'zod';
import { leaf, Refused } from './leaf.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const UNITS_BYTES: Readonly<Record<string, number>> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

/** Timers of Node.js hold about 24.8 days. */
const MAX_MS = 576 * 3_600_000;

/** A time: `500ms`, `5s`, `2m`, `1.5h`, or 0; in milliseconds. */
export const duration: z.ZodType<number> = durationFrom(0);

/** A time of at least a millisecond. */
export const positiveDuration: z.ZodType<number> = durationFrom(1);

/** Bytes: `64k`, `10m`, `2g` (powers of 1,024), or a plain number. */
export const size: z.ZodType<number> = leaf(
  {
    title: 'size',
    expects: 'a size such as 64k, 10m or 2g, or a whole number of bytes',
    types: ['string', 'number'],
    json: {
      anyOf: [
        { type: 'string', pattern: '^\\d+(\\.\\d+)?[kmgKMG]?$' },
        { type: 'integer', minimum: 0 },
      ],
    },
  },
  (given: string | number) => readSize(given),
);

/** A part of a whole: `0.1`, or `10%`. */
export const share: z.ZodType<number> = leaf(
  {
    title: 'share',
    expects: 'a share: a number from 0 to 1, or from 0% to 100%',
    types: ['string', 'number'],
    json: {
      anyOf: [
        { type: 'number', minimum: 0, maximum: 1 },
        { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
      ],
    },
  },
  (given: string | number) => {
    const percent = typeof given === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(given)?.[1] : undefined;
    const value = percent === undefined ? given : Number(percent) / 100;
    if (typeof value === 'number' && value >= 0 && value <= 1) return value;
    return new Refused(typeof given === 'number' && given > 1 && given <= 100 ? `write ${given}%` : undefined);
  },
);

function durationFrom(least: 0 | 1): z.ZodType<number> {
  const zero = least === 0 ? ', or 0' : '';
  const text = { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)$' };
  return leaf(
    {
      title: least === 0 ? 'duration, 0' : 'duration',
      expects: `a duration such as 500ms, 5s, 2m or 1h${zero}`,
      types: ['string', 'number'],
      json: least === 0 ? { anyOf: [text, { const: 0 }] } : text,
    },
    (given: string | number) => readDuration(given, least),
  );
}

function readDuration(given: string | number, least: 0 | 1): number | Refused {
  if (given === 0) return least === 0 ? 0 : new Refused('it cannot be 0');
  if (typeof given === 'number') return new Refused(given > 0 ? `write ${given}s, or ${given}ms` : undefined);
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/i.exec(given) ?? [];
  const factor = Object.hasOwn(UNITS_MS, unit) ? UNITS_MS[unit] : undefined;
  if (number === undefined) return new Refused(/^\d+$/.test(given) ? `write ${given}s, or ${given}ms` : undefined);
  if (factor === undefined) return new Refused('the units are ms, s, m and h');
  const milliseconds = Math.round(Number(number) * factor);
  if (milliseconds > MAX_MS) return new Refused('576h is the longest');
  return milliseconds < least ? new Refused('it cannot be 0') : milliseconds;
}

function readSize(given: string | number): number | Refused {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(String(given)) ?? [];
  const bytes = Number(number) * (UNITS_BYTES[unit.toLowerCase()] ?? 1);
  if (number !== '' && Number.isSafeInteger(bytes)) return bytes;
  const [, digits, letter] = /^(\d+)\s*([kmg])i?b$/i.exec(String(given)) ?? [];
  return new Refused(digits === undefined ? undefined : `write ${digits}${letter?.toLowerCase()}`);
}
