import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, test } from 'vitest';
import { PingWatch } from './ping-watch.ts';

/** A watch whose time is driven by hand: a ping after 10 s of silence, 5 s for its answer. */
function site(): { events: string[]; watch: PingWatch; pass(ms: number): void } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const events: string[] = [];
  const owner = { sendPing: () => events.push('ping'), pingTimedOut: () => events.push('gone') };
  const watch = new PingWatch(owner, { pingIntervalMs: 10_000, pingTimeoutMs: 5_000 }, wheel);
  return { events, watch, pass: (ms) => clock.advance(ms, 20) };
}

describe('PingWatch', () => {
  test('PingWatch asks after a silent interval and gives up without an answer', () => {
    const { events, pass } = site();
    pass(10_040);
    expect(events).toEqual([]);
    pass(10_040);
    expect(events).toEqual(['ping']);
    pass(4_900);
    expect(events).toEqual(['ping']);
    pass(140);
    expect(events).toEqual(['ping', 'gone']);
  });

  test('PingWatch sends none while bytes come, and goes on after an answer', () => {
    const { events, watch, pass } = site();
    for (let round = 0; round < 10; round += 1) {
      watch.heard();
      pass(9_000);
    }
    expect(events).toEqual([]);
    pass(12_000);
    expect(events).toEqual(['ping']);
    watch.heard();
    pass(16_000);
    expect(events).toEqual(['ping', 'ping']);
    pass(5_100);
    expect(events).toEqual(['ping', 'ping', 'gone']);
  });

  test('PingWatch is silent once closed', () => {
    const { events, watch, pass } = site();
    watch.close();
    pass(60_000);
    expect(events).toEqual([]);
  });
});
