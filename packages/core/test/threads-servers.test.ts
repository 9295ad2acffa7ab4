/**
 * Several servers with threads in one program, and threads with copies of a state.
 */
import { expect, onTestFinished, test } from 'vitest';
import { ChildServer } from './child-server.ts';

test('two servers of one module have threads of their own, which run what belongs to them', {
  timeout: 20_000,
}, async () => {
  const child = new ChildServer('two-servers.ts', []);
  onTestFinished(() => child.kill('SIGKILL'));
  for (const name of ['one', 'two']) {
    const [, address] = await child.prints(new RegExp(`^${name} (.*)$`, 'm'));
    for (let i = 0; i < 10; i += 1) {
      const response = await fetch(`http://${address}/`, { headers: { connection: 'close' } });
      expect(await response.text()).toBe(name);
    }
  }
  child.kill('SIGTERM');
  expect(await child.exitCode()).toBe(0);
  expect(child.err).toBe('');
});

test('a thread serves nobody before its copies of the state of others are in place', { timeout: 20_000 }, async () => {
  const child = new ChildServer('slow-copies.ts', []);
  onTestFinished(() => child.kill('SIGKILL'));
  const [, address] = await child.prints(/^listens (.*)$/m);
  for (let i = 0; i < 10; i += 1) {
    const response = await fetch(`http://${address}/`, { headers: { connection: 'close' } });
    expect(await response.text()).toBe('all');
  }
  child.kill('SIGTERM');
  expect(await child.exitCode()).toBe(0);
  expect(child.err).toBe('');
});
