/**
 * The rules for the head of a request (RFC 9113 section 8.3.1, RFC 8441 section 4).
 */
import { isHostValue, isToken, parseTarget, RequestHeader, TARGET_BYTES } from '@cirque/http';
import { type FieldCollector, shown } from './field-collector.ts';

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const NEEDS_AUTHORITY = /^https?$/i;

/** The request that the fields describe; undefined, with `fields.problem` set, when they are malformed. */
export function requestHead(
  fields: FieldCollector,
  endStream: boolean,
  connectProtocol: boolean,
): RequestHeader | undefined {
  fields.problem ??=
    fields.method === 'CONNECT' && fields.protocol === undefined
      ? connectProblem(fields)
      : requestProblem(fields, connectProtocol);
  fields.problem ??= lengthProblem(fields, endStream);
  if (fields.problem !== undefined) return undefined;
  const method = fields.method as string;
  const target = fields.path ?? (fields.authority as string);
  return new RequestHeader(method, target, fields.headers(), '2', true);
}

function requestProblem(fields: FieldCollector, connectProtocol: boolean): string | undefined {
  const { method, scheme, path, protocol } = fields;
  if (method === undefined || scheme === undefined || path === undefined) {
    return `a request needs ${method === undefined ? ':method' : scheme === undefined ? ':scheme' : ':path'}`;
  }
  if (fields.status !== undefined) return ':status in a request';
  if (!isToken(method)) return `:method ${shown(method)} is not a token`;
  if (!SCHEME.test(scheme)) return `:scheme ${shown(scheme)} is not a scheme`;
  if (protocol !== undefined) {
    if (method !== 'CONNECT') return ':protocol in a request that is not CONNECT';
    if (!connectProtocol) return ':protocol, but extended CONNECT was not offered';
    if (!isToken(protocol)) return `:protocol ${shown(protocol)} is not a token`;
  }
  return pathProblem(method, path) ?? authorityProblem(fields, NEEDS_AUTHORITY.test(scheme), scheme);
}

function connectProblem(fields: FieldCollector): string | undefined {
  if (fields.scheme !== undefined || fields.path !== undefined) return 'CONNECT with :scheme or :path';
  if (fields.status !== undefined) return ':status in a request';
  if (fields.authority === undefined) return 'CONNECT without :authority';
  if (parseTarget('CONNECT', fields.authority) === undefined)
    return `:authority ${shown(fields.authority)} is not host:port`;
  return authorityProblem(fields, true, '');
}

function pathProblem(method: string, path: string): string | undefined {
  if (path === '*') return method === 'OPTIONS' ? undefined : ':path * in a request that is not OPTIONS';
  if (path.charCodeAt(0) !== 0x2f) return `:path ${shown(path)} does not begin with a slash`;
  for (let at = 1; at < path.length; at++) {
    if (TARGET_BYTES[path.charCodeAt(at)] !== 1)
      return `:path ${shown(path)} holds a character that must be percent-encoded`;
  }
  return undefined;
}

function authorityProblem(fields: FieldCollector, needed: boolean, scheme: string): string | undefined {
  const { authority, host } = fields;
  const named = authority ?? host;
  if (named === undefined) return needed ? 'neither :authority nor host' : undefined;
  if (named === '' && needed) return ':authority or host is empty';
  if (!isKnownHost(named)) return `:authority or host ${shown(named)} is not host[:port]`;
  if (authority === undefined || host === undefined || authority === host) return undefined;
  const same = normalised(authority, scheme) === normalised(host, scheme);
  return same ? undefined : `:authority ${shown(authority)} is not host ${shown(host)}`;
}

/** The last one that was valid: most requests repeat it. */
let validHost = '';

function isKnownHost(host: string): boolean {
  if (host === validHost) return true;
  if (!isHostValue(host)) return false;
  validHost = host;
  return true;
}

function normalised(authority: string, scheme: string): string {
  const lower = authority.toLowerCase();
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

function lengthProblem(fields: FieldCollector, endStream: boolean): string | undefined {
  if (fields.contentLength <= 0) return undefined;
  if (fields.method === 'CONNECT') return 'CONNECT with content';
  return endStream ? `no body, but content-length ${fields.contentLength}` : undefined;
}
