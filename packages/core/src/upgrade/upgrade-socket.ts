/**
 * The path on which a new process waits for its predecessor: `upgrade_sock`.
 *
 * A file that nobody answers on is replaced; a living one means that somebody else is upgrading. Only the owner of the
 * file may connect: it is given to the user the server runs as.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { codeOfError } from '../listeners/bind-error.ts';
import { bindUnix } from '../listeners/bind-unix.ts';
import { unixEndpoint } from '../listeners/endpoint.ts';
import { upgradeError } from './upgrade-error.ts';

/** More connections at a time than this are closed at once: one of them is enough. */
const MAX_CONNECTIONS = 16;

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process waits there for its predecessor; let it finish, or choose another path',
  EACCES: 'this user may not write to its directory',
  EPERM: 'this user may not write to its directory, or not give the file away',
  EROFS: 'its file system is read-only',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is not a directory',
  ENOTSOCK: 'a file that is not a socket is there; remove it, or choose another path',
  ENAMETOOLONG: 'the path is too long for a socket',
};

/** A path that is listened on. */
export interface UpgradeSocket {
  /** Accepts nothing more, and removes the path. Connections stay. */
  close(): void;
}

/**
 * Listens on the path.
 *
 * @param owner the user who gets the file; only root can give it to somebody else.
 * @param accept called with each connection; it is paused and was never read.
 * @throws CirqueError naming the key `upgrade_sock`, the path and a remedy.
 */
export async function listenForUpgrade(
  path: string,
  owner: number | undefined,
  accept: (socket: Socket) => void,
): Promise<UpgradeSocket> {
  const server: Server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', accept);
  try {
    const { close } = await bindUnix(unixEndpoint(path, { mode: 0o600 }), { server, owner });
    server.on('error', () => {}); // a connection that cannot be accepted is tried again by the predecessor
    return { close };
  } catch (error) {
    throw upgradeError(describe(path, error), error);
  }
}

/** The sentence about a path that cannot be used. */
function describe(path: string, error: unknown): string {
  const code = codeOfError(error);
  const reason = code ?? (error instanceof Error ? error.message : String(error));
  const remedy = code === undefined ? undefined : REMEDIES[code];
  return `upgrade_sock: cannot listen on ${path} (${reason})${remedy === undefined ? '' : `: ${remedy}`}`;
}
