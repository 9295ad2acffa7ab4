/**
 * What a stream cannot send yet, in order: heads, a body, an end.
 */
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import { ByteQueue } from './byte-queue.ts';

/** Of one stream, while there is something. */
export class StreamOutput {
  /** Heads wait only for a sink that is full: they have no window. */
  heads: ResponseHeader[] | undefined;
  readonly body: ByteQueue = new ByteQueue();
  ended = false;
  trailers: HeaderMap | undefined;
}
