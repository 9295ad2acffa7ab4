/**
 * The handler of a session between two requests: nobody hears.
 */
import type { ServerSessionHandler } from './server-session.ts';

export const NOBODY: ServerSessionHandler = {
  onRequestBody() {},
  onRequestEnd() {},
  onDownstreamDrain() {},
  onDownstreamError() {},
};
