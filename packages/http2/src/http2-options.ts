/**
 * Options of a connection, completed and checked.
 */
import { DEFAULT_WINDOW, MAX_MAX_FRAME_SIZE, MAX_WINDOW, MIN_MAX_FRAME_SIZE } from './frame.ts';
import { type Http2Limits, resolveHttp2Limits } from './limits.ts';
import { type Http2Settings, INITIAL_SETTINGS } from './settings.ts';

export interface Http2Options {
  readonly role: 'server' | 'client';
  /**
   * What is announced to the peer. Defaults: 100 concurrent streams (server), the rest as RFC 9113 has it, but for
   * `maxHeaderListSize`, which is `limits.maxHeaderListBytes`, and push, which is off.
   */
  readonly settings?: Partial<Http2Settings> | undefined;
  /** Bytes that the peer may send on all streams together before they are consumed. Default 1 MiB; at least 65,535. */
  readonly connectionWindowSize?: number | undefined;
  readonly limits?: Partial<Http2Limits> | undefined;
  /** Clock in milliseconds for the rates of {@link Http2Limits}. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** Options without gaps. */
export interface ResolvedHttp2Options {
  readonly server: boolean;
  readonly settings: Http2Settings;
  readonly connectionWindowSize: number;
  readonly limits: Http2Limits;
  readonly now: () => number;
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  headerTableSize: [0, 65_536],
  maxConcurrentStreams: [0, 0xffff_ffff],
  initialWindowSize: [0, MAX_WINDOW],
  maxFrameSize: [MIN_MAX_FRAME_SIZE, MAX_MAX_FRAME_SIZE],
  maxHeaderListSize: [1, 0xffff_ffff],
};

/** @throws TypeError or RangeError naming the option, the value and what would be right. */
export function resolveHttp2Options(options: Http2Options): ResolvedHttp2Options {
  const { role, settings = {}, connectionWindowSize = 1_048_576, now } = options;
  if (role !== 'server' && role !== 'client') {
    throw new TypeError(`option role is ${String(role)}: expected 'server' or 'client'`);
  }
  checkRange('option connectionWindowSize', connectionWindowSize, DEFAULT_WINDOW, MAX_WINDOW);
  const server = role === 'server';
  const limits = resolveHttp2Limits(options.limits, settings.maxConcurrentStreams);
  const defaults: Http2Settings = {
    ...INITIAL_SETTINGS,
    enablePush: false,
    maxConcurrentStreams: server ? 100 : Number.POSITIVE_INFINITY,
    maxHeaderListSize: limits.maxHeaderListBytes,
  };
  return {
    server,
    settings: mergeSettings(defaults, settings),
    connectionWindowSize,
    limits,
    now: now ?? ((): number => performance.now()),
  };
}

/** Settings with changes. @throws TypeError or RangeError naming the setting, the value and what would be right. */
export function mergeSettings(base: Http2Settings, changes: Partial<Http2Settings>): Http2Settings {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(INITIAL_SETTINGS, name)) {
      throw new TypeError(`setting ${name} is unknown: expected one of ${Object.keys(INITIAL_SETTINGS).join(', ')}`);
    }
    if (value !== undefined) checkSetting(name, value);
  }
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return { ...base, ...given };
}

function checkSetting(name: string, value: unknown): void {
  const range = RANGES[name];
  if (range === undefined) {
    if (typeof value !== 'boolean') throw new TypeError(`setting ${name} is ${String(value)}: expected true or false`);
    if (name === 'enablePush' && value) throw new RangeError('setting enablePush is true: push is not supported');
  } else if (value !== Number.POSITIVE_INFINITY || name !== 'maxConcurrentStreams') {
    checkRange(`setting ${name}`, value, range[0], range[1]);
  }
}

function checkRange(what: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new RangeError(`${what} is ${String(value)}: expected an integer from ${least} to ${most}`);
}
