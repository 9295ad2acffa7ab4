import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { HeadWatch } from './head-watch.ts';

function scene(timeoutMs = 1_000) {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const heads = { unfinishedHead: 0, settingsReceived: true, localSettingsAcked: true };
  const late: number[] = [];
  const watch = new HeadWatch(heads, timeoutMs, () => late.push(clock.now()), wheel);
  const see = (unfinishedHead: number): void => {
    heads.unfinishedHead = unfinishedHead;
    watch.look();
  };
  return { clock, wheel, heads, late, watch, see };
}

test('HeadWatch gives a head its time, however often it is looked at', () => {
  const { clock, late, see } = scene();
  see(1);
  clock.advance(600);
  see(1);
  clock.advance(300);
  expect(late).toEqual([]);
  clock.advance(200);
  expect(late).toHaveLength(1);
});

test('HeadWatch gives each head its own time', () => {
  const { clock, late, see } = scene();
  for (let head = 1; head <= 5; head += 1) {
    see(head);
    clock.advance(900);
  }
  expect(late).toEqual([]);
});

test('HeadWatch is content with heads that come to their end', () => {
  const { clock, wheel, late, see } = scene();
  see(1);
  see(0);
  expect(wheel.size).toBe(0);
  clock.advance(5_000);
  expect(late).toEqual([]);
});

test.each(['settingsReceived', 'localSettingsAcked'] as const)('HeadWatch waits for %s', (fact) => {
  const { clock, wheel, heads, late, watch, see } = scene();
  heads[fact] = false;
  see(1);
  expect(wheel.size).toBe(0);
  heads[fact] = true;
  watch.look();
  clock.advance(1_100);
  expect(late).toHaveLength(1);
});

test('HeadWatch without a limit, and one that is closed, have no timer', () => {
  const unlimited = scene(0);
  unlimited.see(1);
  expect(unlimited.wheel.size).toBe(0);
  const closed = scene();
  closed.see(1);
  closed.watch.close();
  expect(closed.wheel.size).toBe(0);
});
