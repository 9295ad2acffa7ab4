import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchSignals } from './signals.ts';

function watch(): { source: EventEmitter; seen: string[]; stop: () => void } {
  const source = new EventEmitter();
  const seen: string[] = [];
  const stop = watchSignals((kind, signal) => seen.push(`${signal} ${kind}`), source);
  return { source, seen, stop };
}

test('watchSignals: SIGTERM is graceful, a second one fast', () => {
  const { source, seen } = watch();
  source.emit('SIGTERM');
  source.emit('SIGTERM');
  expect(seen).toEqual(['SIGTERM graceful', 'SIGTERM fast']);
});

test('watchSignals: SIGINT is fast, also after SIGTERM', () => {
  const { source, seen } = watch();
  source.emit('SIGTERM');
  source.emit('SIGINT');
  source.emit('SIGTERM');
  expect(seen).toEqual(['SIGTERM graceful', 'SIGINT fast', 'SIGTERM fast']);
});

test('watchSignals leaves no listener behind', () => {
  const { source, stop } = watch();
  stop();
  expect(source.eventNames()).toEqual([]);
});
