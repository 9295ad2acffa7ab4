import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import { expect, test } from 'vitest';
import { PendingStreams } from './pending-streams.ts';

function site(): { readonly pending: PendingStreams; readonly clock: FakeClock; stream(): Stream } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { pending: new PendingStreams(wheel), clock, stream: () => new Stream(duplexPair()[1], 'Downstream') };
}

test('PendingStreams.endWithin closes those that are still pending then, and no others', () => {
  const { pending, clock, stream } = site();
  const [slow, quick] = [stream(), stream()];
  pending.add(slow);
  pending.add(quick);
  pending.endWithin(3_000);
  clock.advance(2_900, 100);
  pending.delete(quick);
  expect([pending.has(slow), pending.has(quick), slow.destroyed]).toEqual([true, false, false]);
  clock.advance(200, 100);
  expect([slow.destroyed, quick.destroyed]).toEqual([true, false]);
});

test('PendingStreams without a stop closes nothing', () => {
  const { pending, clock, stream } = site();
  const one = stream();
  pending.endWithin(1_000);
  pending.add(one);
  clock.advance(10_000, 100);
  expect(one.destroyed).toBe(false);
});
