import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchSignals } from './signals.ts';

function watch(): { source: EventEmitter; seen: string[]; stop: () => void } {
  const source = new EventEmitter();
  const seen: string[] = [];
  const actions = {
    stop: (kind: string, signal: string) => void seen.push(`${signal} ${kind}`),
    upgrade: () => void seen.push('upgrade'),
    reload: () => void seen.push('reload'),
    reopenLogs: () => void seen.push('reopen logs'),
  };
  return { source, seen, stop: watchSignals(actions, source) };
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

test('watchSignals: SIGQUIT upgrades, SIGHUP reloads, SIGUSR2 opens logs again, each time', () => {
  const { source, seen } = watch();
  for (const signal of ['SIGQUIT', 'SIGHUP', 'SIGUSR2', 'SIGHUP']) source.emit(signal);
  expect(seen).toEqual(['upgrade', 'reload', 'reopen logs', 'reload']);
});

test('watchSignals leaves no listener behind', () => {
  const { source, stop } = watch();
  stop();
  expect(source.eventNames()).toEqual([]);
});
