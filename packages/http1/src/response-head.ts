/**
 * Parses the head of a response: status line, fields, framing and persistence.
 *
 * White space before a colon is removed and folded lines are joined (RFC 9112 section 5); everything else that is not
 * certain is an error, and the connection must not be used again.
 */
import { STATUS_CODES } from 'node:http';
import { CirqueError } from '@cirque/error';
import {
  type ConnectionOptions,
  HeaderMap,
  latin1,
  MAX_CONNECTION_OPTIONS,
  parseConnectionOptions,
  ResponseHeader,
  VALUE_BYTES,
} from '@cirque/http';
import { FieldFacts, INCOMPLETE, type ScanRules, scanFields } from './field-scan.ts';
import { CHUNKED, type Framing, forbidsContentLength, responseFraming, UNTIL_CLOSE } from './framing.ts';
import type { Http1Limits } from './limits.ts';
import { normaliseFields } from './normalise-fields.ts';

const SP = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/** What a parsed response head says. Read it before the next parse on this thread. */
export interface ResponseHead {
  header: ResponseHeader;
  framing: Framing;
  /** The server lets the connection persist, and the framing allows it. */
  keepAlive: boolean;
  /** `timeout` of its Keep-Alive field in seconds; undefined when not given. */
  keepAliveSeconds: number | undefined;
  connection: ConnectionOptions;
}

const facts = new FieldFacts();

const head: ResponseHead = {
  header: new ResponseHeader(200),
  framing: 0,
  keepAlive: false,
  keepAliveSeconds: undefined,
  connection: parseConnectionOptions(undefined),
};

/** The registers that {@link parseResponseHead} fills. */
export const responseHead: Readonly<ResponseHead> = head;

/** Limits of a client, prepared once. */
export class ResponseRules implements ScanRules {
  readonly source = 'Upstream';
  readonly maxFields: number;
  readonly foldedLines = true;
  readonly spaceBeforeColon = true;
  readonly limits: Http1Limits;

  constructor(limits: Http1Limits) {
    this.limits = limits;
    this.maxFields = limits.maxFields;
  }
}

/**
 * Parses the head that begins at `start`, of a response to a request of method `requestMethod`.
 *
 * @returns the offset of the first byte after the head, or INCOMPLETE.
 * @throws CirqueError InvalidHTTPHeader, source Upstream.
 */
export function parseResponseHead(
  buffer: Buffer,
  start: number,
  end: number,
  rules: ResponseRules,
  requestMethod: string,
): number {
  // HTTP/1.1 200 X\r\n: version, space, three digits, then a reason that may be missing.
  const statusStart = start + 9;
  const minorVersion = parseVersion(buffer, start, end);
  if (minorVersion === INCOMPLETE || statusStart + 3 >= end) return INCOMPLETE;
  const status = parseStatus(buffer, statusStart);
  let at = statusStart + 3;
  const reasonStart = at + 1;
  if (buffer[at] === SP) {
    at++;
    while (at < end && VALUE_BYTES[buffer[at] as number] === 1) at++;
  }
  if (at < end && buffer[at] !== CR) throw distrust('control character in the status line');
  if (at + 1 >= end) return INCOMPLETE;
  if (buffer[at + 1] !== LF) throw distrust('bare CR in the status line');
  const fieldsStart = at + 2;
  const next = scanFields(buffer, fieldsStart, end, rules, facts);
  if (next === INCOMPLETE) return INCOMPLETE;
  if (next - start > rules.limits.maxHeadBytes) throw distrust(`head above ${rules.limits.maxHeadBytes} bytes`);
  const block = fieldBlock(buffer, fieldsStart, next - 2, rules);
  fill(status, reasonOf(buffer, reasonStart, at, status), minorVersion, block, requestMethod);
  return next;
}

const VERSION = Buffer.from('HTTP/1.');

function parseVersion(buffer: Buffer, start: number, end: number): number {
  const available = Math.min(VERSION.length, end - start);
  for (let i = 0; i < available; i++) {
    if (buffer[start + i] !== VERSION[i]) throw distrust('the status line does not start with HTTP/1.');
  }
  if (end - start < 9) return INCOMPLETE;
  const minor = (buffer[start + 7] as number) - 0x30;
  if (minor < 0 || minor > 9 || buffer[start + 8] !== SP) throw distrust('malformed version in the status line');
  return minor === 0 ? 0 : 1;
}

function parseStatus(buffer: Buffer, at: number): number {
  let status = 0;
  for (let i = 0; i < 3; i++) {
    const digit = (buffer[at + i] as number) - 0x30;
    if (digit < 0 || digit > 9) throw distrust('the status is not three digits');
    status = status * 10 + digit;
  }
  if (status < 100 || status > 599) throw distrust(`status ${status} is outside of 100 to 599`);
  return status;
}

/** The reason as text; undefined when it is the registered one, which needs no memory of its own. */
function reasonOf(buffer: Buffer, start: number, end: number, status: number): string | undefined {
  const registered = STATUS_CODES[status];
  if (registered !== undefined && registered.length === end - start && isText(buffer, start, registered))
    return undefined;
  return start >= end ? '' : latin1(buffer, start, end);
}

function isText(buffer: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (buffer[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function fieldBlock(buffer: Buffer, start: number, end: number, rules: ResponseRules): string {
  const text = latin1(buffer, start, end);
  if (!facts.irregular) return text;
  const regular = normaliseFields(text);
  const again = Buffer.from(`${regular}\r\n`, 'latin1');
  scanFields(again, 0, again.length, rules, facts);
  return regular;
}

function fill(
  status: number,
  reason: string | undefined,
  minorVersion: number,
  block: string,
  requestMethod: string,
): void {
  const framing = responseFraming(facts, status, minorVersion, requestMethod);
  const connection = parseConnectionOptions(facts.connection);
  // Other mistakes in it are ignored: nothing depends on them. A flood would make stripping the fields expensive.
  if ((connection.nominated?.length ?? 0) > MAX_CONNECTION_OPTIONS) throw distrust('too many Connection options');
  const bothFramings = facts.transferEncoding !== undefined && facts.contentLengthLines > 0;
  const dropLength =
    facts.contentLengthLines > 0 && (bothFramings || forbidsContentLength(status) || facts.contentLength < 0);
  const length = facts.contentLengthLines > 0 && !dropLength ? facts.contentLength : -1;
  const headers = HeaderMap.fromBlock(block, facts.hopLines, length, facts.names);
  if (dropLength) headers.delete('content-length');
  else if (length >= 0 && (facts.contentLengthLines > 1 || !facts.contentLengthCanonical))
    headers.set('Content-Length', String(length));
  head.header = ResponseHeader.parsed(status, reason, headers, minorVersion === 0 ? '1.0' : '1.1');
  head.framing = framing;
  head.connection = connection;
  const persistent = !connection.close && (minorVersion === 1 || connection.keepAlive);
  head.keepAlive = persistent && framing !== UNTIL_CLOSE && !(framing === CHUNKED && bothFramings);
  head.keepAliveSeconds = facts.keepAlive === undefined ? undefined : timeoutOf(facts.keepAlive);
}

function timeoutOf(keepAlive: string): number | undefined {
  const seconds = /(?:^|,)\s*timeout\s*=\s*"?(\d{1,9})/i.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

function distrust(what: string): CirqueError {
  return new CirqueError('InvalidHTTPHeader', what, { source: 'Upstream' });
}
