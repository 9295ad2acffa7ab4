/**
 * Which protocols stand on the two sides of a proxy, and what TLS looks like where there is TLS. Only data.
 */

/** What clients speak: HTTP/1.1 or HTTP/2, over TLS (`https`, `h2`) or not (`http`, `h2c` by prior knowledge). */
export type ClientProtocol = 'http' | 'https' | 'h2c' | 'h2';

/** What the origin speaks: HTTP/1.1, or HTTP/2 in cleartext by prior knowledge. */
export type OriginProtocol = 'http' | 'h2c';

/** Both sides of a proxy. */
export interface Traffic {
  readonly client: ClientProtocol;
  readonly origin: OriginProtocol;
}

/** Plain HTTP/1.1 on both sides. */
export function isPlain({ client, origin }: Traffic): boolean {
  return client === 'http' && origin === 'http';
}

export function usesTls(client: ClientProtocol): boolean {
  return client === 'https' || client === 'h2';
}

export function usesHttp2(client: ClientProtocol): boolean {
  return client === 'h2' || client === 'h2c';
}

/** The same for every row, so that nobody wins by weaker cryptography. `verify.ts` sees to it. */
export const TLS_VERSION = 'TLSv1.3';
export const TLS_CIPHER = 'TLS_AES_256_GCM_SHA384';
export const TLS_GROUP = 'X25519';
