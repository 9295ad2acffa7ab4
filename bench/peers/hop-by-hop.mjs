/**
 * Copies a flat `[name, value, ...]` header list without the fields that end at one hop (RFC 9110 section 7.6.1).
 *
 * Used by the two hand-written node:http peers; what a careful developer would write there.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function endToEnd(rawHeaders) {
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[i].toLowerCase())) kept.push(rawHeaders[i], rawHeaders[i + 1]);
  }
  return kept;
}

/** Does this request have a body to forward? RFC 9112 section 6.3. */
export function hasBody(request) {
  return request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
}
