/**
 * How the sessions of a service come to their end when it stops.
 *
 * Somebody else may receive on the same address from now on: another thread, a successor. So every session gets a socket of
 * its own, and then the common one is closed: what is in its queue is not lost if others have it too. Sessions without a
 * socket of their own, where the system gives none, keep the common one open for a few seconds, which is enough for answers that
 * are on their way.
 */
import type { Flows } from './flows.ts';
import type { UdpListener } from './udp-listener.ts';

/** How long the common socket stays for sessions that depend on it, in milliseconds, and how often that is looked at. */
const LINGER_MS = 5_000;
const LOOK_EVERY_MS = 25;

/** Resolves when all sessions are over: those that go on when `fast` is aborted are ended. */
export async function drainFlows<Ctx>(
  flows: Flows<Ctx>,
  listeners: readonly UdpListener<Ctx>[],
  fast: AbortSignal,
): Promise<void> {
  if (!fast.aborted) await flows.ownSockets();
  const end = performance.now() + LINGER_MS;
  while (flows.hasDependents && !fast.aborted && performance.now() < end) await pause(LOOK_EVERY_MS, fast);
  for (const listener of listeners) listener.close();
  flows.finishDependents();
  await Promise.race([flows.empty(), untilAborted(fast)]);
  flows.finishAll('shutdown');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
