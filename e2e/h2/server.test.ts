/**
 * The proxy as an HTTP/2 server, frame by frame. After each case it must serve on, here and on a new connection.
 */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { randomCuts } from '../src/delivery.ts';
import { type H2Case, runH2Case } from '../src/h2-case.ts';
import { H2ServerRig } from '../src/h2-rig.ts';
import { answers } from './server-cases/answers.ts';
import * as bodies from './server-cases/bodies.ts';
import * as compression from './server-cases/compression.ts';
import * as control from './server-cases/control.ts';
import { fieldRules } from './server-cases/fields.ts';
import * as flow from './server-cases/flow-control.ts';
import * as frames from './server-cases/frames.ts';
import * as heads from './server-cases/heads.ts';
import * as pseudo from './server-cases/pseudo-headers.ts';
import * as streams from './server-cases/streams.ts';

let rig: H2ServerRig;
beforeAll(async () => {
  rig = await H2ServerRig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

const GROUPS: readonly (readonly [name: string, cases: readonly H2Case[]])[] = [
  ['starting', frames.starting],
  ['layout of frames', frames.layout],
  ['sizes of frames', frames.sizes],
  ['field blocks in frames', frames.fieldBlocks],
  ['idle streams', streams.idle],
  ['priorities', streams.priorities],
  ['streams that have ended', streams.ended],
  ['identifiers', streams.identifiers],
  ['concurrency', streams.concurrency],
  ['DATA and HEADERS', control.dataAndHeaders],
  ['PRIORITY and RST_STREAM', control.priorityAndReset],
  ['SETTINGS', control.settingsFrames],
  ['PING and GOAWAY', control.pingAndGoaway],
  ['WINDOW_UPDATE', flow.updates],
  ['windows towards the client', flow.windows],
  ['windows that are exceeded', flow.violations],
  ['fields of requests', fieldRules],
  ['pseudo-header fields', pseudo.pseudoHeaders],
  ['CONNECT', pseudo.connecting],
  ['bodies', bodies.bodies],
  ['trailers', bodies.trailers],
  ['answers', answers],
  ['sizes of heads', heads.sizesOfHeads],
  ['refused and good requests together', heads.ignoredFrames],
  ['representations of fields', compression.representations],
  ['damaged field blocks', compression.damages],
  ['size updates', compression.sizeUpdates],
];

for (const [group, cases] of GROUPS) {
  describe(group, () => {
    it.each(cases)('$name ($source)', async (subject) => {
      await runH2Case(rig, subject);
      if (subject.large) return;
      rig.endTest();
      await runH2Case(rig, subject, randomCuts(subject.name.length));
    });
  });
}
