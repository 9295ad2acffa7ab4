import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchReload, watchSignals } from './signals.ts';

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

test('watchReload calls for each SIGHUP, until it is stopped', () => {
  const source = new EventEmitter();
  let reloads = 0;
  const stop = watchReload(() => {
    reloads += 1;
  }, source);
  source.emit('SIGHUP');
  source.emit('SIGHUP');
  stop();
  source.emit('SIGHUP');
  expect(reloads).toBe(2);
  expect(source.eventNames()).toEqual([]);
});
