/**
 * Heads between us and undici: what a dispatcher takes, and what it gives.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { HeaderMap, HOP_BY_HOP_FIELDS, type RequestHeader, ResponseHeader } from '@cirque/http';

/**
 * The fields as undici takes them: names as they are spelt, several values in a list. What belongs to its connections is
 * its own affair, and so is `Expect`, which it refuses.
 */
export function outgoingFields({ headers }: RequestHeader): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  const spelt = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === 'expect' || (HOP_BY_HOP_FIELDS.has(lower) && lower !== 'te')) continue;
    const first = spelt.get(lower);
    if (first === undefined) {
      spelt.set(lower, name);
      fields[name] = value;
    } else {
      fields[first] = [fields[first] ?? [], value].flat();
    }
  }
  return fields;
}

/** A response head. @throws CirqueError InvalidHTTPHeader when it cannot be sent on. */
export function incomingHead(status: number, fields: IncomingHttpHeaders, reason: string | undefined): ResponseHeader {
  const header = new ResponseHeader(status, incomingFields(fields));
  if (reason !== undefined && reason !== '') header.reason = reason;
  return header;
}

/** @throws CirqueError InvalidHTTPHeader */
export function incomingFields(fields: IncomingHttpHeaders): HeaderMap {
  const headers = HeaderMap.empty();
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else if (value !== undefined) headers.append(name, value);
  }
  return headers;
}

/** Bytes of the body that follows a head; undefined when that is not known beforehand. */
export function bodyLengthOf({ status, headers }: ResponseHeader, method: string): number | undefined {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  if (headers.has('transfer-encoding')) headers.delete('content-length');
  return headers.contentLength >= 0 ? headers.contentLength : undefined;
}
