/**
 * Header fields on their way between the versions: pseudo fields and those of one hop stay behind (RFC 9113 section 8).
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
]);

/** Request fields for an HTTP/1.1 origin. */
export function toHttp1(headers) {
  const fields = toHttp2(headers);
  fields.host = headers[':authority'] ?? headers.host;
  return fields;
}

/** Fields for an HTTP/2 message, without its pseudo fields. */
export function toHttp2(headers) {
  const fields = {};
  for (const name of Object.keys(headers)) {
    if (name[0] !== ':' && !HOP_BY_HOP.has(name)) fields[name] = headers[name];
  }
  return fields;
}
