/**
 * The proxy as an HTTP/2 client of an origin that misbehaves, frame by frame. After each case it must serve on.
 */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { type OriginCase, runOriginCase } from '../src/h2-origin-case.ts';
import { H2ClientRig } from '../src/h2-rig.ts';
import * as answers from './origin-cases/answers.ts';
import * as connections from './origin-cases/connections.ts';
import * as ends from './origin-cases/ends.ts';
import { requests } from './origin-cases/requests.ts';

let rig: H2ClientRig;
beforeAll(async () => {
  rig = await H2ClientRig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

const GROUPS: readonly (readonly [name: string, cases: readonly OriginCase[]])[] = [
  ['requests', requests],
  ['starting', connections.starting],
  ['faults of the connection', connections.faults],
  ['what does no harm', connections.harmless],
  ['heads of answers', answers.heads],
  ['bodies of answers', answers.bodies],
  ['trailers and interim answers', answers.trailersAndInterim],
  ['ends of streams and connections', ends.ends],
  ['sizes of heads', ends.sizes],
];

for (const [group, cases] of GROUPS) {
  describe(group, () => {
    it.each(cases)('$name ($source)', (subject) => runOriginCase(rig, subject));
  });
}
