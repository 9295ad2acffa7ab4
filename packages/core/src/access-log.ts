/**
 * The facts of one finished request, and what may be shown of them: bounded, escaped, without secrets.
 *
 * Every form of the access log comes from the same facts: the record here, for loggers, and the lines of
 * access-log-line.ts, for files.
 */
import { escapeText } from '@cirque/error';

/** What is known of a finished request. Text may come from a stranger as it is. */
export interface AccessLogFacts {
  /** Names the request in all lines about it. */
  readonly requestId?: string | undefined;
  readonly clientAddress: string | undefined;
  readonly method: string;
  /** The request target, for example `/path?query`. */
  readonly target: string;
  readonly host?: string | undefined;
  /** `1.0`, `1.1` or `2`. */
  readonly version: string;
  /** The status sent; 0 when nothing could be sent. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** From the complete head to the end of the response. */
  readonly durationMs: number;
  /** Where the request was sent, if anywhere. */
  readonly upstream?: string | undefined;
  /** Upstream attempts beyond the first. */
  readonly retries?: number | undefined;
  /** True when the upstream connection came from the pool. */
  readonly reused?: boolean | undefined;
  /** The Referer field of the request. */
  readonly referer?: string | undefined;
  /** The User-Agent field of the request. */
  readonly userAgent?: string | undefined;
  /** Why it failed, one line. */
  readonly error?: string | undefined;
  /** Request fields to log, by name. Values of sensitive fields are replaced. */
  readonly fields?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Longest text in a record or line, in characters; the rest is cut. */
const MAX_TEXT = 2_048;

const HIDDEN = '[redacted]';

const SENSITIVE_FIELD = /authorization|^(?:set-)?cookie2?$|token|secret|password|api-?key|signature/i;
const SENSITIVE_NAME = /token|secret|passw(?:or)?d|api[_-]?key|signature|credential|^(?:auth|code|key|pwd|sig)$/i;
/** Without one of these no name is sensitive. */
const SENSITIVE_WORD = /token|secret|passw|api[_-]?key|signature|credential|auth|code|key|pwd|sig/i;
// Two steps, name first: one pattern for both backtracks on hostile names.
const PARAMETER = /([?&;])([^=&;#]*)=([^&;#]*)/g;
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i;

/** The record; absent facts are left out. Numbers are rounded to microseconds and kept as numbers. */
export function accessLogRecord(facts: AccessLogFacts): Record<string, unknown> {
  const { clientAddress, method, target, host, version, status, upstream, retries, reused, error, fields } = facts;
  const record: Record<string, unknown> = {
    requestId: clean(facts.requestId),
    client: clean(clientAddress),
    method: clean(method),
    target: clean(redactTarget(target)),
    host: clean(host),
    version: clean(version),
    status,
    requestBytes: facts.requestBytes,
    responseBytes: facts.responseBytes,
    durationMs: Math.round(facts.durationMs * 1_000) / 1_000,
    upstream: clean(upstream),
    retries: retries === 0 ? undefined : retries,
    reused,
    referer: facts.referer === undefined ? undefined : clean(redactTarget(facts.referer)),
    userAgent: clean(facts.userAgent),
    error: clean(error),
    fields: fields === undefined ? undefined : cleanFields(fields),
  };
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** A request target without the values of query parameters that look secret, and without user information. */
export function redactTarget(target: string): string {
  const bounded = target.length > MAX_TEXT ? target.slice(0, MAX_TEXT + 1) : target;
  // Most have none of it, and looking is cheaper than replacing.
  const shown = bounded.includes('@') ? bounded.replace(USER_INFO, `$1${HIDDEN}@`) : bounded;
  if (!shown.includes('=') || !SENSITIVE_WORD.test(shown)) return shown;
  return shown.replace(PARAMETER, (whole, before: string, name: string) =>
    SENSITIVE_NAME.test(name) ? `${before}${name}=${HIDDEN}` : whole,
  );
}

/** {@link AccessLogFacts.fields} as they may be shown. */
export function cleanFields(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const shown = SENSITIVE_FIELD.test(name) ? HIDDEN : value;
    const isUrl = /^(?:referer|origin|location)$/i.test(name);
    entries.push([name.toLowerCase(), clean(isUrl ? redactTarget(shown) : shown) ?? '']);
  }
  return Object.fromEntries(entries);
}

function clean(text: string | undefined): string | undefined {
  return text === undefined ? undefined : escapeText(boundedText(text));
}

/** Text of a length that a log can bear. */
export function boundedText(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
