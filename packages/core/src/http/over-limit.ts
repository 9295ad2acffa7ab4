/**
 * The answer to a connection that is one too many: 503, before anything was read, and the end.
 *
 * The client is about to send its request, or has sent it, and takes this for the answer to it. Its request is read and
 * thrown away for a second, as a reset would take the answer with it (lingering-close.ts).
 */
import type { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { LingeringClose } from './lingering-close.ts';

/** The same for all. No Date, which answers of this class need not have (RFC 9110 section 6.6.1). */
const ANSWER = [
  'HTTP/1.1 503 Service Unavailable',
  'Content-Length: 0',
  'Cache-Control: private, no-store',
  'Retry-After: 1',
  'Connection: close',
  '\r\n',
].join('\r\n');

/** Takes the stream over. */
export function answerOverLimit(stream: Stream, wheel: TimerWheel | undefined): void {
  stream.writeLatin1(ANSWER);
  new LingeringClose(stream, { clientHalfClosed: false, writeTimeoutMs: 1_000, wheel }).start();
}
