// Runs something beside a server, once for the process: with threads the module of an example runs in each of them, and
// with -d in the command that starts the daemon, too.
import { isMainThread } from 'node:worker_threads';
import type { Server } from '@cirque/core';

/** How worker threads get to know what the main thread has started: they begin with a copy of its environment. */
const VARIABLE = 'CIRQUE_EXAMPLE_BUNDLED';

/** What runs: facts about it, plain data such as addresses, and how to stop it. */
export interface Running {
  close(): void;
}

/**
 * Starts what belongs to an example where the server itself is, and stops it when the server has stopped.
 *
 * @returns the facts, in all threads.
 */
export async function bundled<R extends Running>(server: Server, start: () => Promise<R>): Promise<Omit<R, 'close'>> {
  if (server.isMain) {
    const running = await start();
    const { close, ...facts } = running;
    process.env[VARIABLE] = JSON.stringify(facts);
    server.onPhase((phase) => {
      if (phase === 'Terminated') close();
    });
    return facts;
  }
  // This command only starts the daemon, which comes here by itself.
  if (isMainThread) {
    await server.runForever();
    process.exit();
  }
  return JSON.parse(process.env[VARIABLE] ?? '{}') as Omit<R, 'close'>;
}
