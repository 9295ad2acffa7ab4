/**
 * Takes listening sockets from the service manager: socket activation as systemd has it (sd_listen_fds(3)).
 */
import type { SocketRecord } from '../sockets/socket-record.ts';
import { listeningSocket } from './proc-net.ts';
import { upgradeError } from './upgrade-error.ts';

const FIRST_ACTIVATED = 3;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;

/**
 * The sockets that were passed to this process, with an empty service name: whichever service is configured with such an
 * address gets it. The variables are removed from `env`, so that children do not see them.
 *
 * @param pid the process that the sockets must be meant for.
 * @throws CirqueError naming the variable or the descriptor when something is not as it should be.
 */
export function activatedSockets(
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): readonly SocketRecord[] {
  const { LISTEN_PID: target, LISTEN_FDS: text = '0', LISTEN_FDNAMES: names = '' } = env;
  for (const name of VARIABLES) delete env[name];
  if (target === undefined || Number(target) !== pid) return [];
  if (!/^\d{1,5}$/.test(text))
    throw upgradeError(`LISTEN_FDS must be a number of descriptors, got ${JSON.stringify(text)}`);
  const labels = names.split(':');
  return Array.from({ length: Number(text) }, (_, index) => record(FIRST_ACTIVATED + index, labels[index]));
}

function record(fd: number, label: string | undefined): SocketRecord {
  const facts = listeningSocket(fd);
  if (facts !== undefined) return { service: '', ...facts, address: facts.bound, fd, activated: true };
  const name = label === undefined || label === '' ? '' : ` (${label})`;
  throw upgradeError(
    `descriptor ${fd}${name}, passed by socket activation, is no listening TCP, UDP or unix stream socket with a path`,
  );
}
