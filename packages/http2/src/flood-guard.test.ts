import { beforeEach, describe, expect, test } from 'vitest';
import { FloodGuard } from './flood-guard.ts';
import { resolveHttp2Limits } from './limits.ts';

const limits = resolveHttp2Limits({ maxControlFramesPerInterval: 3, maxResetsPerInterval: 2 });
let time = 0;
let guard = new FloodGuard(limits, () => time);

beforeEach(() => {
  time = 0;
  guard = new FloodGuard(limits, () => time);
});

const controls = (count: number): boolean[] => Array.from({ length: count }, () => guard.control());

describe('FloodGuard', () => {
  test('allows as many as the limits say, of each kind', () => {
    expect(controls(4)).toEqual([false, false, false, true]);
    expect([guard.reset(), guard.reset(), guard.reset()]).toEqual([false, false, true]);
  });

  test('begins anew after ten seconds', () => {
    controls(3);
    time = 9_999;
    expect(guard.control()).toBe(true);
    time = 10_000;
    expect(controls(4)).toEqual([false, false, false, true]);
  });

  test('takes four control frames off for each piece of work, never below none', () => {
    controls(3);
    guard.work(511);
    guard.work(0);
    expect(controls(4)).toEqual([false, false, false, true]);
  });

  test('takes one more off for each 512 bytes', () => {
    const large = new FloodGuard(resolveHttp2Limits({ maxControlFramesPerInterval: 10 }), () => 0);
    for (let i = 0; i < 10; i++) large.control();
    large.work(1_024);
    expect(Array.from({ length: 7 }, () => large.control())).toEqual([...Array(6).fill(false), true]);
  });

  test('reads the clock only when it must', () => {
    let reads = 0;
    const counting = new FloodGuard(limits, () => {
      reads += 1;
      return 0;
    });
    for (let i = 0; i < 3; i++) counting.control();
    expect(reads).toBe(1);
  });
});
