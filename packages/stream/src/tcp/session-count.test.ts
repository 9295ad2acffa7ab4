import { expect, test } from 'vitest';
import { SessionCount } from './session-count.ts';

test('SessionCount tells when the last one has left, again and again', async () => {
  const count = new SessionCount();
  await count.none();
  for (let round = 0; round < 2; round += 1) {
    count.enter();
    count.enter();
    let none = false;
    const waiting = count.none().then(() => {
      none = true;
    });
    count.leave();
    await new Promise((resolve) => setImmediate(resolve));
    expect(none).toBe(false);
    count.leave();
    await waiting;
  }
});
