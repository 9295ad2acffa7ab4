import { describe, expect, test } from 'vitest';
import { SendProgress } from './send-progress.ts';

describe('SendProgress', () => {
  test('SendProgress is content with any progress when there is no least rate', () => {
    const progress = new SendProgress();
    expect(progress.begin(1_000, 500, 60_000, 0)).toBe(60_000);
    expect(progress.judge(1_000, 500)).toBe('stalled');
    expect(progress.judge(1_001, 499)).toBe('progress');
    expect(progress.judge(1_500, 0)).toBe('done');
  });

  test('SendProgress takes time from the least rate, one second at least', () => {
    const progress = new SendProgress();
    expect(progress.begin(0, 5_000, 60_000, 1_000)).toBe(5_000);
    expect(progress.begin(0, 10, 60_000, 1_000)).toBe(1_000);
  });

  test('SendProgress wants all that waited to be taken at the least rate', () => {
    const progress = new SendProgress();
    progress.begin(100, 5_000, 60_000, 1_000);
    expect(progress.judge(5_099, 1)).toBe('stalled');
    expect(progress.judge(5_100, 700)).toBe('progress');
    expect(progress.judge(5_100, 0)).toBe('done');
  });
});
