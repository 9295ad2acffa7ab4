/**
 * The rules for the head of a response (RFC 9113 section 8.3.2) and for trailers (section 8.1).
 */
import { type HeaderMap, ResponseHeader } from '@cirque/http';
import { type FieldCollector, shown } from './field-collector.ts';

/** The response that the fields describe; undefined, with `fields.problem` set, when they are malformed. */
export function responseHead(fields: FieldCollector, endStream: boolean): ResponseHeader | undefined {
  fields.problem ??= responseProblem(fields, endStream);
  if (fields.problem !== undefined) return undefined;
  return ResponseHeader.parsed(Number(fields.status), undefined, fields.headers(), '2');
}

function responseProblem(fields: FieldCollector, endStream: boolean): string | undefined {
  const { status } = fields;
  if (status === undefined) return 'a response needs :status';
  if (fields.pseudos > 1) return 'a pseudo field of requests in a response';
  if (!/^[1-5][0-9][0-9]$/.test(status)) return `:status ${shown(status)} is not from 100 to 599`;
  if (status === '101') return 'status 101, which HTTP/2 does not have';
  return status.charCodeAt(0) === 0x31 && endStream ? `the stream ends with status ${status}` : undefined;
}

/** Trailers; undefined, with `fields.problem` set, when they are malformed. */
export function trailers(fields: FieldCollector): HeaderMap | undefined {
  if (fields.pseudos > 0) fields.problem ??= 'a pseudo field in trailers';
  return fields.problem === undefined ? fields.headers() : undefined;
}
