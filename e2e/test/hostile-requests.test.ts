/**
 * Every request of the corpus, whole, byte by byte and cut at random. After each the proxy must serve a new client.
 */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { requestCorpus } from '../corpus/requests.ts';
import type { RequestCase } from '../src/case.ts';
import { byteByByte, type Delivery, randomCuts, whole } from '../src/delivery.ts';
import { runRequestCase } from '../src/request-runner.ts';
import { Rig } from '../src/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

function deliveries(subject: RequestCase): readonly Delivery[] {
  const seed = subject.name.length * 31 + subject.bytes.length;
  return subject.large ? [whole, randomCuts(seed)] : [whole, byteByByte, randomCuts(seed), randomCuts(seed + 1)];
}

for (const [group, cases] of requestCorpus) {
  describe(group, () => {
    it.each(cases)('$name ($source)', async (subject) => {
      for (const delivery of deliveries(subject)) {
        await rig.attempt(delivery.name, () => runRequestCase(rig, subject, delivery));
      }
    });
  });
}
