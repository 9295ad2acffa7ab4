/**
 * Several servers with threads in one program.
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
