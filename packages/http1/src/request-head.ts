/**
 * Parses the head of a request: request line, fields, Host rules, framing and persistence.
 *
 * The result stays in one register object until the next parse; see {@link RequestHead}.
 */
import { CirqueError } from '@cirque/error';
import {
  type ConnectionOptions,
  HeaderMap,
  isHostValue,
  latin1,
  parseConnectionOptions,
  parseTarget,
  RequestHeader,
  TARGET_BYTES,
  type Target,
  TOKEN_BYTES,
} from '@cirque/http';
import { FieldFacts, INCOMPLETE, type ScanRules, scanFields } from './field-scan.ts';
import { CHUNKED, type Framing, requestFraming } from './framing.ts';
import type { Http1Leniency, Http1Limits } from './limits.ts';
import { normaliseFields } from './normalise-fields.ts';

const SP = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/** What a parsed request head says. Read it before the next parse on this thread. */
export interface RequestHead {
  header: RequestHeader;
  framing: Framing;
  /** The client wants the connection to persist. */
  keepAlive: boolean;
  minorVersion: number;
  /** `Expect: 100-continue` from an HTTP/1.1 client. */
  expectContinue: boolean;
  connection: ConnectionOptions;
  /** The target when it is not in origin form. */
  target: Target | undefined;
}

const facts = new FieldFacts();

const head: RequestHead = {
  header: new RequestHeader('GET', '/'),
  framing: 0,
  keepAlive: false,
  minorVersion: 1,
  expectContinue: false,
  connection: parseConnectionOptions(undefined),
  target: undefined,
};

/** The registers that {@link parseRequestHead} fills. */
export const requestHead: Readonly<RequestHead> = head;

/** Limits and leniencies of a server, prepared once. */
export class RequestRules implements ScanRules {
  readonly source = 'Downstream';
  readonly maxFields: number;
  readonly foldedLines: boolean;
  readonly spaceBeforeColon = false;
  readonly limits: Http1Limits;
  readonly lenient: Http1Leniency;
  readonly targetBytes: Uint8Array;

  constructor(limits: Http1Limits, lenient: Http1Leniency) {
    this.limits = limits;
    this.lenient = lenient;
    this.maxFields = limits.maxFields;
    this.foldedLines = lenient.obsFold === true;
    this.targetBytes =
      lenient.obsTextInTarget === true ? TARGET_BYTES.map((ok, byte) => (byte >= 0x80 ? 1 : ok)) : TARGET_BYTES;
  }
}

/**
 * Parses the head that begins at `start`, after an optional empty line.
 *
 * @returns the offset of the first byte after the head, or INCOMPLETE.
 * @throws CirqueError InvalidHTTPHeader, source Downstream, with the status to answer: 400, 414, 417, 431, 501, 505.
 */
export function parseRequestHead(buffer: Buffer, start: number, end: number, rules: RequestRules): number {
  let at = start;
  if (buffer[at] === CR) {
    if (at + 1 >= end) return INCOMPLETE;
    if (buffer[at + 1] !== LF) throw refuse('bare CR before the request line');
    at += 2;
    if (at >= end) return INCOMPLETE;
  }
  const methodStart = at;
  while (at < end && TOKEN_BYTES[buffer[at] as number] === 1) at++;
  if (at >= end) return INCOMPLETE;
  if (buffer[at] !== SP || at === methodStart) throw refuse('the request line does not start with a method');
  const methodEnd = at;
  at++;
  const targetStart = at;
  const { targetBytes } = rules;
  while (at < end && targetBytes[buffer[at] as number] === 1) at++;
  const targetEnd = at;
  if (targetEnd - targetStart > rules.limits.maxTargetBytes) {
    throw refuse(`request target above ${rules.limits.maxTargetBytes} bytes`, 414);
  }
  if (at >= end) return INCOMPLETE;
  if (buffer[at] !== SP || targetEnd === targetStart)
    throw refuse('the request line is not METHOD SP target SP version');
  const minorVersion = parseVersion(buffer, at + 1, end);
  if (minorVersion === INCOMPLETE) return INCOMPLETE;
  const fieldsStart = at + VERSION_LINE_BYTES;
  const next = scanFields(buffer, fieldsStart, end, rules, facts);
  if (next === INCOMPLETE) return INCOMPLETE;
  if (next - start > rules.limits.maxHeadBytes) throw refuse(`head above ${rules.limits.maxHeadBytes} bytes`, 431);
  // Target and fields come out of one string: making a string costs more than slicing one.
  const text = latin1(buffer, targetStart, next - 2);
  const block = text.slice(fieldsStart - targetStart);
  const target = text.slice(0, targetEnd - targetStart);
  fill(
    methodName(buffer, methodStart, methodEnd),
    target,
    minorVersion,
    facts.irregular ? regular(block, rules) : block,
    rules,
  );
  return next;
}

/** ` HTTP/1.1\r\n` after the target: one space, eight bytes of version, CR LF. */
const VERSION_LINE_BYTES = 11;
const VERSION_PREFIX = Buffer.from('HTTP/');

function parseVersion(buffer: Buffer, start: number, end: number): number {
  const available = Math.min(VERSION_PREFIX.length, end - start);
  for (let i = 0; i < available; i++) {
    if (buffer[start + i] !== VERSION_PREFIX[i]) throw refuse('the request line does not end with a version');
  }
  if (end - start < VERSION_LINE_BYTES - 1) {
    // A line that ends early, or a bare LF, must not wait for more bytes.
    for (let at = start + available; at < end; at++) {
      if (buffer[at] === LF && buffer[at - 1] !== CR) throw refuse('bare LF after the request line');
    }
    return INCOMPLETE;
  }
  const major = digit(buffer[start + 5]);
  const minor = digit(buffer[start + 7]);
  const shaped = major >= 0 && minor >= 0 && buffer[start + 6] === 0x2e;
  if (!shaped || buffer[start + 8] !== CR || buffer[start + 9] !== LF)
    throw refuse('the version is not HTTP/DIGIT.DIGIT');
  if (major !== 1) throw refuse(`HTTP version ${major}.${minor} is not supported here`, 505);
  return minor === 0 ? 0 : 1;
}

function digit(byte: number | undefined): number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}

function methodName(buffer: Buffer, start: number, end: number): string {
  // GET is nearly all traffic: no string is made for it.
  if (end - start === 3 && buffer[start] === 0x47 && buffer[start + 1] === 0x45 && buffer[start + 2] === 0x54)
    return 'GET';
  return latin1(buffer, start, end);
}

/** The fields without folds, scanned again so that the facts fit them. */
function regular(block: string, rules: RequestRules): string {
  const text = normaliseFields(block);
  const again = Buffer.from(`${text}\r\n`, 'latin1');
  scanFields(again, 0, again.length, rules, facts);
  return text;
}

function fill(method: string, target: string, minorVersion: number, block: string, rules: RequestRules): void {
  checkHost(minorVersion, rules.lenient);
  const framing = requestFraming(facts, minorVersion, rules.lenient);
  const connection = parseConnectionOptions(facts.connection);
  if (connection.problem !== undefined) throw refuse(connection.problem);
  const expectContinue = checkExpect(minorVersion);
  const version = minorVersion === 0 ? '1.0' : '1.1';
  const length = framing === CHUNKED ? -1 : facts.contentLengthLines === 0 ? -1 : framing;
  const headers = HeaderMap.fromBlock(block, facts.hopLines, length, facts.names);
  if (framing === CHUNKED && facts.contentLengthLines > 0) headers.delete('content-length');
  else if (facts.contentLengthLines > 1 || !facts.contentLengthCanonical)
    headers.set('Content-Length', String(framing));
  head.target = target.charCodeAt(0) === 0x2f && method !== 'CONNECT' ? undefined : otherTarget(method, target);
  head.header = new RequestHeader(method, target, headers, version, true);
  head.framing = framing;
  head.minorVersion = minorVersion;
  head.connection = connection;
  head.expectContinue = expectContinue;
  // Both framings, accepted by a leniency: never go on with this connection (RFC 9112 section 6.1).
  const doubtful = framing === CHUNKED && facts.contentLengthLines > 0;
  head.keepAlive = !doubtful && !connection.close && (minorVersion === 1 || connection.keepAlive);
}

/** The last Host that was valid: most requests repeat it. */
let validHost = '';

function checkHost(minorVersion: number, lenient: Http1Leniency): void {
  if (facts.hostLines === 1) {
    const host = facts.host as string;
    if (host === validHost) return;
    if (!isHostValue(host)) throw refuse(`Host ${JSON.stringify(host.slice(0, 128))} is not host[:port]`);
    validHost = host;
    return;
  }
  if (facts.hostLines > 1) throw refuse('more than one Host field');
  if (minorVersion === 1 && lenient.missingHost !== true) throw refuse('HTTP/1.1 request without Host');
}

function checkExpect(minorVersion: number): boolean {
  if (facts.expect === undefined || minorVersion === 0) return false;
  if (facts.expect.toLowerCase() !== '100-continue')
    throw refuse(`expectation ${JSON.stringify(facts.expect.slice(0, 64))}`, 417);
  return true;
}

function otherTarget(method: string, target: string): Target {
  const parsed = parseTarget(method, target);
  if (parsed === undefined)
    throw refuse(`request target ${JSON.stringify(target.slice(0, 128))} is not valid for ${method}`);
  return parsed;
}

function refuse(what: string, status = 400): CirqueError {
  return new CirqueError('InvalidHTTPHeader', what, { source: 'Downstream', status });
}
