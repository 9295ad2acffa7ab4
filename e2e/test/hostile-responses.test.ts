/**
 * Every response of the corpus, whole, byte by byte and cut at random. Whatever the origin does, the client gets a
 * well-formed message, knows whether it is complete, and the next client is served.
 */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { responseCorpus } from '../corpus/responses.ts';
import type { ResponseCase } from '../src/case.ts';
import { byteByByte, type Delivery, randomCuts, whole } from '../src/delivery.ts';
import { runResponseCase } from '../src/response-runner.ts';
import { Rig } from '../src/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

function deliveries(subject: ResponseCase): readonly Delivery[] {
  const seed = subject.name.length * 31 + subject.bytes.length;
  return subject.large ? [whole, randomCuts(seed)] : [whole, byteByByte, randomCuts(seed)];
}

for (const [group, cases] of responseCorpus) {
  describe(group, () => {
    it.each(cases)('$name ($source)', async (subject) => {
      for (const delivery of deliveries(subject)) {
        await rig.attempt(delivery.name, () => runResponseCase(rig, subject, delivery));
      }
    });
  });
}
