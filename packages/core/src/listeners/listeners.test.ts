import { expect, test } from 'vitest';
import { Listeners } from './listeners.ts';

const inheritsNothing = (): boolean => false;

test('Listeners.resolve answers real addresses for port 0', async () => {
  const listeners = new Listeners();
  listeners.addTcp('127.0.0.1:0');
  listeners.addTcp('[::1]:0');
  listeners.addUds('/nowhere/socket');
  const resolved = await listeners.resolve(inheritsNothing);
  expect(Object.keys(resolved)).toEqual(['127.0.0.1:0', '[::1]:0']);
  for (const [configured, real] of Object.entries(resolved)) {
    expect(real).toMatch(/:[1-9]\d*$/);
    expect(real.slice(0, real.lastIndexOf(':'))).toBe(configured.slice(0, -2));
  }
});

test('Listeners.resolve refuses two endpoints with one address, which threads could not tell apart', async () => {
  const listeners = new Listeners();
  listeners.addTcp('127.0.0.1:0');
  listeners.addTcp({ host: '127.0.0.1', port: 0 });
  await expect(listeners.resolve(inheritsNothing)).rejects.toThrow(
    'cannot listen on 127.0.0.1:0 twice: with threads above 1 the endpoints of a service need different addresses',
  );
});
