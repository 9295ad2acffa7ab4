/**
 * Keeps a head true to a body that was encoded or decoded: lengths, digests, entity tags, Vary.
 */
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { listedTags, parseEntityTag } from '@cirque/http';

/** Fields that state facts about the encoded bytes (RFC 9110 section 8.6 and 14.3, RFC 9530, RFC 1864). */
const BYTE_FACTS = ['Content-Length', 'Accept-Ranges', 'Content-MD5', 'Content-Digest', 'Repr-Digest', 'Digest'];

/** Removes what is no longer true once the bytes of the body are others. */
export function forgetBytes(headers: HeaderMap): void {
  for (const name of BYTE_FACTS) headers.delete(name);
}

/** A strong entity tag promises the same bytes, so it becomes weak; a malformed one is removed. */
export function weakenEtag(response: ResponseHeader): void {
  const etag = response.getHeader('ETag');
  if (etag === undefined) return;
  const tag = parseEntityTag(etag);
  if (tag === undefined) response.removeHeader('ETag');
  else if (!tag.weak) response.insertHeader('ETag', `W/${etag}`);
}

/** Says that the response depends on Accept-Encoding, unless it says so, or `*`, already. */
export function varyByEncoding(response: ResponseHeader): void {
  const values = response.headers.getAll('Vary');
  const names = values.join(',').split(',');
  if (names.some((name) => /^(?:\*|accept-encoding)$/i.test(name.trim()))) return;
  response.insertHeader('Vary', [...values, 'Accept-Encoding'].join(', '));
}

/**
 * Makes a 304 agree with the 200 that would have been sent (RFC 9110 section 15.4.5). What the client holds is told by the
 * tag it asks about: when it has the weakened one, it has the recoded body.
 */
export function recodeNotModified(request: RequestHeader, response: ResponseHeader, preserveEtag: boolean): void {
  varyByEncoding(response);
  const etag = response.getHeader('ETag');
  if (preserveEtag || etag === undefined) return;
  const asked = listedTags(request.headers.getAll('If-None-Match').join(','));
  if (!asked.includes(etag) && asked.includes(`W/${etag}`)) response.insertHeader('ETag', `W/${etag}`);
}
