import { getEventListeners } from 'node:events';
import type { CirqueError } from '@cirque/error';
import { FakeClock, SeededRandom } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { PeerSlots, type SlotRequest } from './peer-slots.ts';

const ONE: SlotRequest = { max: 1, maxPending: 10, timeoutMs: 0 };

/** Notes what becomes of an answer, in the order in which it is known. */
function note(log: string[], name: string, answer: number | Promise<number>): void {
  if (typeof answer === 'number') log.push(name);
  else
    answer.then(
      () => log.push(name),
      (error: CirqueError) => log.push(`${name}: ${error.status ?? error.type}`),
    );
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('PeerSlots: free slots are taken at once, up to the cap', () => {
  const slots = new PeerSlots();
  expect(slots.acquire('a', { ...ONE, max: 2 })).toBe(0);
  expect(slots.acquire('a', { ...ONE, max: 2, timeoutMs: 500 })).toBe(500);
  void slots.acquire('a', { ...ONE, max: 2 });
  expect(slots.waiting).toBe(1);
  expect(slots.acquire('b', ONE)).toBe(0);
});

test('PeerSlots: those who wait are served in order of arrival', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  for (const name of ['first', 'second', 'third']) note(log, name, slots.acquire('a', ONE));
  expect(log).toEqual(['first']);
  slots.release('a');
  await settled();
  expect(log).toEqual(['first', 'second']);
  slots.release('a');
  await settled();
  expect(log).toEqual(['first', 'second', 'third']);
  slots.release('a');
  expect([slots.waiting, slots.keys]).toEqual([0, 0]);
});

test('PeerSlots: nobody overtakes those who wait', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  note(log, 'first', slots.acquire('a', ONE));
  note(log, 'second', slots.acquire('a', ONE));
  // A peer with the same identity and a higher cap.
  note(log, 'third', slots.acquire('a', { ...ONE, max: 5 }));
  slots.release('a');
  await settled();
  expect(log).toEqual(['first', 'second', 'third']);
});

test('PeerSlots: each request counts against its own cap', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  note(log, 'first', slots.acquire('a', { ...ONE, max: 2 }));
  note(log, 'second', slots.acquire('a', { ...ONE, max: 2 }));
  note(log, 'third', slots.acquire('a', ONE));
  slots.release('a');
  await settled();
  expect(log).toEqual(['first', 'second']);
  slots.release('a');
  await settled();
  expect(log).toEqual(['first', 'second', 'third']);
});

test('PeerSlots: more than maxPending are refused with 503 at once', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  for (const name of ['first', 'second', 'third']) note(log, name, slots.acquire('a', { ...ONE, maxPending: 1 }));
  await settled();
  expect(log).toEqual(['first', 'third: 503']);
  expect(slots.waiting).toBe(1);
});

test('PeerSlots: a maxPending of 0 lets nobody wait', async () => {
  const slots = new PeerSlots();
  expect(slots.acquire('a', { ...ONE, maxPending: 0 })).toBe(0);
  const refused = slots.acquire('a', { ...ONE, maxPending: 0 });
  await expect(refused).rejects.toMatchObject({ type: 'HTTPStatus', status: 503, source: 'Upstream' });
});

test('PeerSlots: an abort ends the waiting, the slot goes to the next', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  const leaving = new AbortController();
  note(log, 'first', slots.acquire('a', ONE));
  note(log, 'second', slots.acquire('a', { ...ONE, signal: leaving.signal }));
  note(log, 'third', slots.acquire('a', ONE));
  leaving.abort();
  await settled();
  expect(log).toEqual(['first', 'second: ConnectError']);
  expect(slots.waiting).toBe(1);
  slots.release('a');
  await settled();
  expect(log.at(-1)).toBe('third');
});

test('PeerSlots: when the one with the lower cap leaves, the next may go on', async () => {
  const slots = new PeerSlots();
  const log: string[] = [];
  const leaving = new AbortController();
  note(log, 'first', slots.acquire('a', ONE));
  note(log, 'second', slots.acquire('a', { ...ONE, signal: leaving.signal }));
  note(log, 'third', slots.acquire('a', { ...ONE, max: 2 }));
  leaving.abort();
  await settled();
  expect(log.sort()).toEqual(['first', 'second: ConnectError', 'third']);
});

test('PeerSlots: a signal that aborted before takes no slot', async () => {
  const slots = new PeerSlots();
  await expect(slots.acquire('a', { ...ONE, signal: AbortSignal.abort() })).rejects.toMatchObject({
    type: 'ConnectError',
  });
  expect(slots.keys).toBe(0);
});

test('PeerSlots: an abort after the slot was given changes nothing', async () => {
  const slots = new PeerSlots();
  const leaving = new AbortController();
  void slots.acquire('a', ONE);
  const second = slots.acquire('a', { ...ONE, signal: leaving.signal });
  slots.release('a');
  leaving.abort();
  expect(await second).toBe(0);
  expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  slots.release('a');
  expect(slots.keys).toBe(0);
});

test('PeerSlots: waiting ends at the deadline, and what is left of it is told', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const slots = new PeerSlots();
  const request = { ...ONE, timeoutMs: 1_000, wheel };
  expect(slots.acquire('a', request)).toBe(1_000);
  const granted = slots.acquire('a', request);
  const late = slots.acquire('a', { ...request, timeoutMs: 500 });
  clock.advance(520);
  await expect(late).rejects.toMatchObject({ type: 'ConnectTimedout', source: 'Upstream' });
  clock.advance(80);
  slots.release('a');
  expect(await granted).toBe(400);
  expect(wheel.size).toBe(0);
  slots.release('a');
  expect(slots.keys).toBe(0);
});

test('PeerSlots: releasing a key that nobody holds does nothing', () => {
  const slots = new PeerSlots();
  slots.release('a');
  expect(slots.acquire('a', ONE)).toBe(0);
});

test.each([1, 2, 3, 4])('PeerSlots: no slot is lost or made in 2,000 random operations, seed %d', async (seed) => {
  const random = new SeededRandom(seed);
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const slots = new PeerSlots();
  const held = new Map<string, number>([
    ['a', 0],
    ['b', 0],
  ]);
  const controllers: AbortController[] = [];
  let open = 0;
  for (let i = 0; i < 2_000; i += 1) {
    const key = random.pick(['a', 'b']);
    const dice = random.next();
    if (dice < 0.5) {
      const controller = new AbortController();
      controllers.push(controller);
      const timeoutMs = random.chance(0.3) ? random.int(1, 200) : 0;
      open += 1;
      const take = (): void => {
        open -= 1;
        held.set(key, (held.get(key) as number) + 1);
      };
      const answer = slots.acquire(key, { max: 3, maxPending: 5, timeoutMs, signal: controller.signal, wheel });
      if (typeof answer === 'number') take();
      else answer.then(take, () => (open -= 1));
    } else if (dice < 0.75 && (held.get(key) as number) > 0) {
      held.set(key, (held.get(key) as number) - 1);
      slots.release(key);
    } else if (dice < 0.9) {
      controllers.splice(random.int(0, controllers.length), 1)[0]?.abort();
    } else {
      clock.advance(random.int(1, 100));
    }
    await settled();
    for (const [, count] of held) expect(count).toBeLessThanOrEqual(3);
    expect(slots.waiting).toBe(open);
  }
  for (let left = 1; left > 0; ) {
    left = 0;
    for (const [key, count] of held) {
      for (let i = 0; i < count; i += 1) slots.release(key);
      left += count;
      held.set(key, 0);
    }
    await settled();
  }
  expect([slots.waiting, slots.keys, open, wheel.size]).toEqual([0, 0, 0, 0]);
});

test('PeerSlots: trying takes a slot only where nobody waits', async () => {
  const slots = new PeerSlots();
  expect(slots.tryAcquire('a', 2)).toBe(true);
  expect(slots.tryAcquire('a', 2)).toBe(true);
  expect(slots.tryAcquire('a', 2)).toBe(false);
  const log: string[] = [];
  note(log, 'waiting', slots.acquire('a', { ...ONE, max: 1 }));
  slots.release('a');
  expect(slots.tryAcquire('a', 2)).toBe(false);
  slots.release('a');
  await settled();
  expect(log).toEqual(['waiting']);
  slots.release('a');
  expect(slots.keys).toBe(0);
});
