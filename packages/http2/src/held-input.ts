/**
 * What arrives for a stream while its reader pauses, in order: a head, a body, an end.
 */
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import { ByteQueue } from './byte-queue.ts';

/** Of one stream, while there is something. Its size is bounded by the windows. */
export class HeldInput {
  /** Client: the final head; informational ones are dropped meanwhile. */
  head: ResponseHeader | undefined;
  headEndsStream = false;
  readonly body: ByteQueue = new ByteQueue();
  ended = false;
  trailers: HeaderMap | undefined;
  /** The peer's reset of a stream that it had ended: what came before it counts (RFC 9113 section 8.1). */
  resetCode: number | undefined;
}
