/**
 * The handler of a session that nobody uses: nobody hears.
 */
import type { ClientSessionHandler } from './client-session.ts';

export const NOBODY: ClientSessionHandler = {
  onResponseHead() {},
  onResponseBody() {},
  onResponseEnd() {},
  onUpstreamFlush() {},
  onUpstreamDrain() {},
  onUpstreamError() {},
};
