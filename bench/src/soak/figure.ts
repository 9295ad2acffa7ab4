/**
 * One measured value of a scene, and what was promised about it. Only data and arithmetic.
 */
import type { CrowdReport, Range } from './crowd-script.ts';
import type { Latencies } from './steady-clients.ts';

/** Limits of a figure, included. They bind Cirque only; of the others the figures are shown. */
export interface Bound {
  readonly most?: number;
  readonly least?: number;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Printed behind the value, after a blank; empty for counts. */
  readonly unit: string;
  readonly bound?: Bound;
  /** A time that other work on the machine lengthens: it decides nothing when there was much. */
  readonly timed?: true;
  /** What explains the value: printed with a figure that is out of bounds. */
  readonly note?: string;
}

export function figure(name: string, value: number, unit = '', bound?: Bound, note?: string): Figure {
  return { name, value, unit, ...(bound === undefined ? {} : { bound }), ...(note === undefined ? {} : { note }) };
}

/** A figure that must have this value. */
export function exactly(name: string, value: number, wanted: number, note?: string): Figure {
  return figure(name, value, '', { least: wanted, most: wanted }, note);
}

/** A time in milliseconds that other work on the machine lengthens. */
export function timed(name: string, valueMs: number, bound?: Bound): Figure {
  return { ...figure(name, valueMs, 'ms', bound), timed: true };
}

export function isKept({ value, bound = {} }: Figure): boolean {
  const { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY } = bound;
  return value >= least && value <= most;
}

/** The value of a time at which nothing has happened. */
const NEVER = -1;

/** A value as it is printed: three digits at least, no more decimals than these need. */
export function printValue({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  if (value === NEVER) return 'never';
  const decimals = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(decimals)}${unit === '' ? '' : ` ${unit}`}`;
}

export function printBound({ most, least }: Bound): string {
  if (most === least) return `exactly ${most}`;
  const print = (value: number): string => printValue({ value, unit: '' });
  const parts = [
    least === undefined ? '' : `at least ${print(least)}`,
    most === undefined ? '' : `at most ${print(most)}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** The worst p99 that healthy clients may see beside attackers: twice that without, and never stricter than `floorMs`. */
export function healthyFigures(before: Latencies, during: Latencies, floorMs: number, who = 'healthy'): Figure[] {
  return [
    timed(`${who}: p99 alone`, before.p99Ms),
    timed(`${who}: p99`, during.p99Ms, { most: Math.max(2 * before.p99Ms, floorMs) }),
    exactly(`${who}: errors`, before.errors + during.errors, 0, [...before.reasons, ...during.reasons].join('; ')),
  ];
}

/** First and last time of a range. */
export function rangeFigures(name: string, range: Range | undefined, bound: Bound): Figure[] {
  return [timed(`${name} from`, range?.firstMs ?? NEVER, bound), timed(`${name} to`, range?.lastMs ?? NEVER, bound)];
}

/** How many members of a crowd were answered with this status. */
export function answered(report: CrowdReport, status: number): number {
  return report.answers[String(status)] ?? 0;
}
