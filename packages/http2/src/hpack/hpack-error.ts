/**
 * What a header block that breaks RFC 7541 ends in. The caller answers with the connection error COMPRESSION_ERROR.
 */

/** A header block cannot be decoded; the tables of both sides differ from here on, so the connection is lost. */
export class HpackError extends Error {
  override readonly name: string = 'HpackError';
}
