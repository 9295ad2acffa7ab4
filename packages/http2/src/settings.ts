/**
 * SETTINGS: the values, their rules and their bytes (RFC 9113 section 6.5, RFC 8441 section 3).
 */
import { ErrorCode } from './error-code.ts';
import { DEFAULT_WINDOW, MAX_MAX_FRAME_SIZE, MAX_WINDOW, MIN_MAX_FRAME_SIZE } from './frame.ts';

/** Settings of one side. */
export interface Http2Settings {
  /** Bytes of the dynamic HPACK table. */
  readonly headerTableSize: number;
  /** Server push; this package never accepts or sends any. */
  readonly enablePush: boolean;
  /** Streams that the other side may have open. */
  readonly maxConcurrentStreams: number;
  /** Bytes of a body that the other side may send on a stream before they are consumed. */
  readonly initialWindowSize: number;
  /** Payload of the longest frame that is accepted. */
  readonly maxFrameSize: number;
  /** Decoded size of the largest head that is accepted; advice to the other side. */
  readonly maxHeaderListSize: number;
  /** Server: requests of method CONNECT may name a protocol (RFC 8441). */
  readonly enableConnectProtocol: boolean;
}

/** What holds for a side that said nothing (RFC 9113 section 6.5.2). `Infinity`: not limited. */
export const INITIAL_SETTINGS: Http2Settings = {
  headerTableSize: 4_096,
  enablePush: true,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowSize: DEFAULT_WINDOW,
  maxFrameSize: MIN_MAX_FRAME_SIZE,
  maxHeaderListSize: Number.POSITIVE_INFINITY,
  enableConnectProtocol: false,
};

const IDS: readonly [keyof Http2Settings, number][] = [
  ['headerTableSize', 1],
  ['enablePush', 2],
  ['maxConcurrentStreams', 3],
  ['initialWindowSize', 4],
  ['maxFrameSize', 5],
  ['maxHeaderListSize', 6],
  ['enableConnectProtocol', 8],
];

const NAMES: ReadonlyMap<number, keyof Http2Settings> = new Map(IDS.map(([name, id]) => [id, name]));
const MAX_UINT32 = 0xffff_ffff;

/** Identifiers and values to send, so that a peer which knows `before` knows `after`. */
export function settingsPairs(before: Http2Settings, after: Http2Settings): number[] {
  const pairs: number[] = [];
  for (const [name, id] of IDS)
    if (after[name] !== before[name]) pairs.push(id, Math.min(Number(after[name]), MAX_UINT32));
  return pairs;
}

/** A peer's SETTINGS that cannot be accepted: the connection error and why. */
export interface SettingsProblem {
  readonly code: number;
  readonly message: string;
}

/** What the peer's settings are after a frame with the payload `buffer[start, end)`; unknown ones are ignored. */
export function readSettings(
  before: Http2Settings,
  buffer: Buffer,
  start: number,
  end: number,
  fromServer: boolean,
): Http2Settings | SettingsProblem {
  const after: Record<keyof Http2Settings, number | boolean> = { ...before };
  for (let at = start; at < end; at += 6) {
    const name = NAMES.get(buffer.readUInt16BE(at));
    if (name === undefined) continue;
    const value = buffer.readUInt32BE(at + 2);
    const problem = settingProblem(name, value, after, fromServer);
    if (problem !== undefined) return problem;
    after[name] = typeof after[name] === 'boolean' ? value === 1 : value;
  }
  return after as unknown as Http2Settings;
}

function settingProblem(
  name: keyof Http2Settings,
  value: number,
  before: Readonly<Record<keyof Http2Settings, number | boolean>>,
  fromServer: boolean,
): SettingsProblem | undefined {
  switch (name) {
    case 'enablePush':
      return value > 1 || (value === 1 && fromServer) ? refused(name, value) : undefined;
    case 'enableConnectProtocol':
      // Once offered, it cannot be taken back (RFC 8441 section 3).
      return value > 1 || (value === 0 && before[name] === true) ? refused(name, value) : undefined;
    case 'initialWindowSize':
      return value > MAX_WINDOW ? refused(name, value, ErrorCode.FLOW_CONTROL_ERROR) : undefined;
    case 'maxFrameSize':
      return value < MIN_MAX_FRAME_SIZE || value > MAX_MAX_FRAME_SIZE ? refused(name, value) : undefined;
    default:
      return undefined;
  }
}

function refused(name: string, value: number, code: number = ErrorCode.PROTOCOL_ERROR): SettingsProblem {
  return { code, message: `the setting ${name} cannot be ${value}` };
}
