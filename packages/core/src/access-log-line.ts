/**
 * The facts of one finished request as a line of a file: JSON, or the combined format that nginx and Apache write.
 *
 * Put together by hand, because there is one line per request, from pieces that are kept: about half the
 * time of JSON.stringify. What may be shown, and in which length, is decided in access-log.ts.
 */
import { escapeText } from '@cirque/error';
import { type AccessLogFacts, boundedText, cleanFields, redactTarget } from './access-log.ts';
import { Fragments } from './access-log-fragments.ts';
import { combinedTime, unixTime } from './access-log-time.ts';

/** The forms that a line can have. */
export const ACCESS_LOG_FORMATS: readonly ['json', 'combined'] = ['json', 'combined'];

/** One of {@link ACCESS_LOG_FORMATS}. */
export type AccessLogFormat = (typeof ACCESS_LOG_FORMATS)[number];

/** The line of a request that ended at `timeMs` (since the epoch), with its line break. */
export function accessLogLine(format: AccessLogFormat, facts: AccessLogFacts, timeMs: number): string {
  return format === 'json' ? jsonLine(facts, timeMs) : combinedLine(facts, timeMs);
}

/** @param next the key of what stands behind it. */
const member = (key: string, next = ''): Fragments => new Fragments((text) => `,"${key}":${quoted(text)}${next}`);

/** Pieces of JSON lines, of what comes again and again. */
const JSON_PIECES = {
  client: member('client'),
  method: member('method', ',"target":'),
  host: member('host'),
  version: member('version', ',"status":'),
  upstream: member('upstream'),
  referer: new Fragments((text) => `,"referer":${quoted(redactTarget(text))}`),
  userAgent: member('userAgent'),
} as const;

/** The members of {@link accessLogRecord} behind `time`, in the same order. */
function jsonLine(facts: AccessLogFacts, timeMs: number): string {
  const { requestId, clientAddress, host, upstream, retries, reused, referer, userAgent, error, fields } = facts;
  const { status, requestBytes, responseBytes } = facts;
  let line = `{"time":${unixTime(timeMs)}`;
  if (requestId !== undefined) line += `,"requestId":${quoted(requestId)}`;
  if (clientAddress !== undefined) line += JSON_PIECES.client.of(clientAddress);
  line += `${JSON_PIECES.method.of(facts.method)}${quoted(redactTarget(facts.target))}`;
  if (host !== undefined) line += JSON_PIECES.host.of(host);
  line += `${JSON_PIECES.version.of(facts.version)}${status},"requestBytes":${requestBytes}`;
  line += `,"responseBytes":${responseBytes},"durationMs":${toMicroseconds(facts.durationMs)}`;
  if (upstream !== undefined) line += JSON_PIECES.upstream.of(upstream);
  if (retries !== undefined && retries > 0) line += `,"retries":${retries}`;
  if (reused !== undefined) line += reused ? ',"reused":true' : ',"reused":false';
  if (referer !== undefined) line += JSON_PIECES.referer.of(referer);
  if (userAgent !== undefined) line += JSON_PIECES.userAgent.of(userAgent);
  if (error !== undefined) line += `,"error":${quoted(error)}`;
  if (fields !== undefined) line += `,"fields":${JSON.stringify(cleanFields(fields))}`;
  return `${line}}\n`;
}

/** As text of three decimals at the most: half the cost of printing a fraction, whose digits have to be searched for. */
function toMicroseconds(ms: number): string {
  const microseconds = Math.round(ms * 1_000);
  const whole = Math.floor(microseconds / 1_000);
  return `${whole}${DECIMALS[microseconds - whole * 1_000]}`;
}

const DECIMALS = Array.from({ length: 1_000 }, (_, thousandths) =>
  thousandths === 0 ? '' : `.${String(thousandths).padStart(3, '0').replace(/0+$/, '')}`,
);

// All but printable ASCII, and in it the quote and the backslash.
const ESCAPED = /[^ !#-[\]-~]/;
const ESCAPED_ALL = /[^ !#-[\]-~]/g;

function quoted(text: string): string {
  const bounded = boundedText(text);
  return ESCAPED.test(bounded) ? JSON.stringify(escapeText(bounded)) : `"${bounded}"`;
}

/** Pieces of combined lines. */
const COMBINED_PIECES = {
  client: new Fragments((text) => `${shown(text)} - - [`),
  method: new Fragments((text) => `] "${shown(text)} `),
  version: new Fragments((text) => ` HTTP/${shown(text.includes('.') ? text : `${text}.0`)}" `),
  referer: new Fragments((text) => ` "${shown(redactTarget(text))}" "`),
  userAgent: new Fragments((text) => `${shown(text)}"\n`),
} as const;

/**
 * nginx's `combined`, which is Apache's: `client - user [time] "request" status bytes "referer" "user agent"`.
 *
 * The user is always `-`: this server verifies no passwords, and does not repeat names that nobody has verified.
 */
function combinedLine(facts: AccessLogFacts, timeMs: number): string {
  const { clientAddress, method, target, version, status, responseBytes, referer, userAgent } = facts;
  const pieces = COMBINED_PIECES;
  const client = pieces.client.of(clientAddress ?? '-');
  const request = `${pieces.method.of(method)}${shown(redactTarget(target))}${pieces.version.of(version)}`;
  const from = pieces.referer.of(referer ?? '-');
  const by = pieces.userAgent.of(userAgent ?? '-');
  // nginx writes statuses with three digits, a request that was not answered with 000.
  const code = status === 0 ? '000' : status;
  return `${client}${combinedTime(timeMs)}${request}${code} ${responseBytes}${from}${by}`;
}

/** As nginx escapes (`log_format ... escape=default`): quote, backslash, and all but printable ASCII are `\xHH`. */
function shown(text: string): string {
  const bounded = boundedText(text);
  return ESCAPED.test(bounded) ? bounded.replace(ESCAPED_ALL, hex) : bounded;
}

/** Text of heads has a character for each byte; what a phase has made of it may have others, which are UTF-8 here. */
function hex(char: string): string {
  const code = char.charCodeAt(0);
  const bytes = code < 0x100 ? [code] : Buffer.from(char);
  let escaped = '';
  for (const byte of bytes) escaped += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return escaped;
}
