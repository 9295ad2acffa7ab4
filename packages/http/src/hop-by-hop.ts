/**
 * Fields that concern one connection only (RFC 9110 section 7.6.1), and the rules for `Connection` options.
 *
 * The one list in the repository; the parser marks these lines and the proxy cuts them on both sides.
 */
import { isToken, trimBlanks } from './validate.ts';

/** Lower-case names that are never forwarded. */
export const HOP_BY_HOP_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** One bit per length that occurs among them: most other names are told apart without a look-up. */
const LENGTHS = [...HOP_BY_HOP_FIELDS].reduce((bits, name) => bits | (1 << name.length), 0);

/** True for the lower-case name of a hop-by-hop field. */
export function isHopByHop(lower: string): boolean {
  return lower.length < 32 && (LENGTHS & (1 << lower.length)) !== 0 && HOP_BY_HOP_FIELDS.has(lower);
}

/** Fields that a client may not nominate for removal: a next hop relies on them. */
const PROTECTED_FIELDS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
  'via',
]);

/** More options than this in one message are an attack, not a need (Pingora 0.9). */
export const MAX_CONNECTION_OPTIONS = 9;

/** What the Connection field of one message says. */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** TE is meant for us (RFC 9110 section 10.1.4). */
  readonly te: boolean;
  /** Lower-case names of nominated fields beyond the standard hop-by-hop ones; undefined when none. */
  readonly nominated: readonly string[] | undefined;
  /** Why the nominations are malformed; undefined when they are fine. */
  readonly problem: string | undefined;
}

const NONE: ConnectionOptions = {
  close: false,
  keepAlive: false,
  upgrade: false,
  te: false,
  nominated: undefined,
  problem: undefined,
};
const CLOSE: ConnectionOptions = { ...NONE, close: true };
const KEEP_ALIVE: ConnectionOptions = { ...NONE, keepAlive: true };
const UPGRADE: ConnectionOptions = { ...NONE, upgrade: true };

/** Interprets a Connection value, several lines joined by a comma; undefined when the field is absent. */
export function parseConnectionOptions(value: string | undefined): ConnectionOptions {
  if (value === undefined) return NONE;
  if (value === 'keep-alive' || value === 'Keep-Alive') return KEEP_ALIVE;
  if (value === 'close' || value === 'Close') return CLOSE;
  if (value === 'upgrade' || value === 'Upgrade') return UPGRADE;
  return parseOptionList(value);
}

function parseOptionList(value: string): ConnectionOptions {
  let close = false;
  let keepAlive = false;
  let upgrade = false;
  let te = false;
  let problem: string | undefined;
  let count = 0;
  const nominated: string[] = [];
  for (const part of value.split(',')) {
    const option = trimBlanks(part).toLowerCase();
    if (option === '') continue;
    count += 1;
    if (option === 'close') close = true;
    else if (option === 'keep-alive') keepAlive = true;
    else if (option === 'upgrade') upgrade = true;
    else if (option === 'te') te = true;
    else if (PROTECTED_FIELDS.has(option)) problem ??= `Connection nominates the protected field ${option}`;
    else if (!isToken(option)) problem ??= `Connection option ${JSON.stringify(option.slice(0, 64))} is not a token`;
    else if (!HOP_BY_HOP_FIELDS.has(option)) nominated.push(option);
  }
  if (count > MAX_CONNECTION_OPTIONS)
    problem ??= `Connection has ${count} options, at most ${MAX_CONNECTION_OPTIONS} are accepted`;
  return { close, keepAlive, upgrade, te, nominated: nominated.length > 0 ? nominated : undefined, problem };
}
