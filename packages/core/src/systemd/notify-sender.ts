/**
 * The two ways in which lines get to the socket of a service manager.
 */
import { spawn } from 'node:child_process';
import type { Sys } from '@cirque/sys';

/** Sends assignments such as `READY=1` in one message, after the earlier ones. Rejects when that is not possible. */
export type NotifySender = (assignments: readonly string[]) => Promise<void>;

/** Sends by native calls, at once. */
export function sysSender(socket: string, sys: Sys): NotifySender {
  return async (assignments) => sys.sendDatagram(socket, Buffer.from(assignments.join('\n'), 'utf8'));
}

/** Sends by the program systemd-notify, one run after the other, because their order matters. */
export function programSender(socket: string, program = 'systemd-notify'): NotifySender {
  let last: Promise<void> = Promise.resolve();
  return (assignments) => {
    last = last.catch(() => {}).then(() => run(program, ['--no-block', ...assignments], socket));
    return last;
  };
}

function run(program: string, words: readonly string[], socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env: { ...process.env, NOTIFY_SOCKET: socket }, stdio: 'ignore' });
    child.unref();
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} has ended with ${signal ?? `code ${code}`}`));
    });
  });
}
