import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { StopRequest } from './stop-request.ts';

test('StopRequest keeps the first request and notices fast later', async () => {
  const request = new StopRequest();
  expect(request.kind).toBeUndefined();
  request.request('graceful');
  expect(await request.first).toBe('graceful');
  request.request('fast');
  await request.fast;
  expect(request.kind).toBe('fast');
  expect(await request.first).toBe('graceful');
});

test('StopRequest never goes back from fast to graceful', () => {
  const request = new StopRequest();
  request.request('fast');
  request.request('graceful');
  expect(request.kind).toBe('fast');
});

test('StopRequest follows signals, aborted ones at once', () => {
  const request = new StopRequest();
  request.follow(AbortSignal.abort(), 'graceful');
  expect(request.kind).toBe('graceful');
  const controller = new AbortController();
  request.follow(controller.signal, 'fast');
  controller.abort();
  expect(request.kind).toBe('fast');
});

test('StopRequest lets go of a signal', () => {
  const request = new StopRequest();
  const controller = new AbortController();
  request.follow(controller.signal, 'fast')();
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  controller.abort();
  expect(request.kind).toBeUndefined();
  request.follow(undefined, 'fast')();
  expect(request.kind).toBeUndefined();
});
