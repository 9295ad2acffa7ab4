import { expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { PhaseTracker } from './execution-phase.ts';

test('PhaseTracker starts in Setup and announces each phase in order', () => {
  const tracker = new PhaseTracker();
  const seen: string[] = [];
  tracker.onPhase((phase) => seen.push(phase));
  expect(tracker.current).toBe('Setup');
  tracker.enter('Bootstrap', silentLogger);
  tracker.enter('Running', silentLogger);
  expect(seen).toEqual(['Bootstrap', 'Running']);
  expect(tracker.current).toBe('Running');
});

test('PhaseTracker removes exactly the registration that was taken back', () => {
  const tracker = new PhaseTracker();
  const listener = vi.fn();
  const remove = tracker.onPhase(listener);
  tracker.onPhase(listener);
  remove();
  remove();
  tracker.enter('Running', silentLogger);
  expect(listener).toHaveBeenCalledTimes(1);
});

test('PhaseTracker logs a listener that throws and tells the others', () => {
  const tracker = new PhaseTracker();
  const error = vi.fn();
  const other = vi.fn();
  tracker.onPhase(() => {
    throw new Error('mine');
  });
  tracker.onPhase(other);
  tracker.enter('Running', { ...silentLogger, error });
  expect(other).toHaveBeenCalledWith('Running');
  expect(error).toHaveBeenCalledTimes(1);
});
