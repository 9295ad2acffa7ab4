/**
 * Which load generator a shape takes.
 */
import { H2LOAD } from './h2load.ts';
import type { LoadGenerator } from './load-generator.ts';
import type { Shape } from './shapes.ts';
import { usesHttp2 } from './traffic.ts';
import { WRK } from './wrk.ts';

/** wrk for HTTP/1.1, h2load for HTTP/2. */
export function loadGeneratorFor(shape: Shape): LoadGenerator {
  return usesHttp2(shape.client) ? H2LOAD : WRK;
}
