/**
 * Which responses may be transformed at all, and which are worth compressing. Reads heads, changes nothing.
 */
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { type Algorithm, algorithmOf } from './algorithm.ts';

/** Kinds of content that shrink; the list is Pingora's. */
const WORTH =
  /^(?:text\/|application\/|font\/|binary\/octet-stream|image\/(?:svg\+xml|x-icon|vnd\.microsoft\.icon|bmp)|multipart\/form-data)/;

/**
 * Exceptions: compressed already, or framed by somebody who would be confused (gRPC has a compression of its own).
 * `zip` also stands for gzip, bzip and `+zip`; office documents and Java archives are zip files.
 */
const NOT_WORTH =
  /zip|zstd|brotli|compress|rar|x-7z|x-xz|x-lz|woff|openxmlformats|opendocument|java-archive|^application\/(?:grpc|ogg|mp4)/;

/** True for a media type whose content is likely to shrink. The default of the option `compressible`. */
export function isCompressible(contentType: string): boolean {
  const semicolon = contentType.indexOf(';');
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).toLowerCase();
  return WORTH.test(type) && !NOT_WORTH.test(type);
}

/**
 * True when the response has a body that may be recoded: not of a tunnel, not a part (206, Content-Range), and nobody said
 * `no-transform` (RFC 9110 section 7.7, RFC 9111 section 5.2.1.6). For HEAD the body is the one that GET would get.
 */
export function isTransformable(request: RequestHeader, response: ResponseHeader, endOfStream: boolean): boolean {
  const { status, headers } = response;
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  if (request.method === 'CONNECT' || (endOfStream && request.method !== 'HEAD')) return false;
  if (headers.contentLength === 0 || headers.has('Content-Range')) return false;
  return !forbidsTransform(response) && !forbidsTransform(request);
}

function forbidsTransform({ headers }: RequestHeader | ResponseHeader): boolean {
  return headers.getAll('Cache-Control').some((value) => /(?:^|[\s,])no-transform(?:[\s,]|$)/i.test(value));
}

/** The codings of a body in the order they were applied, lower-case, `identity` left out. */
export function codingsOf({ headers }: RequestHeader | ResponseHeader): string[] {
  const tokens = headers.getAll('Content-Encoding').join(',').toLowerCase().split(',');
  return tokens.map((token) => token.trim()).filter((token) => token !== '' && token !== 'identity');
}

/**
 * The algorithm that undoes the coding of a body; undefined when it has none, an unknown one, or several: layers multiply
 * what a small body can become, and nobody needs them.
 */
export function decodableAs(message: RequestHeader | ResponseHeader): Algorithm | undefined {
  const codings = codingsOf(message);
  return codings.length === 1 ? algorithmOf(codings[0] as string) : undefined;
}
