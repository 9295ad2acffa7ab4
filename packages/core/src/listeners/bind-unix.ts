/**
 * Listens on a unix socket without ever taking a path away from a server that is alive.
 *
 * The socket is bound under a temporary name and renamed onto its path. That replaces a stale file in one step,
 * and the system's own unlink at close then hits the temporary name: a successor that has taken the path over
 * meanwhile keeps it. The path is removed at close only while it still is our socket.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, lchownSync, lstatSync, renameSync, type Stats } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { descriptorOf } from '@cirque/sys';
import { socketRecord } from '../sockets/socket-record.ts';
import { codeOfError } from './bind-error.ts';
import { type BoundListener, type ListenerPlace, listen } from './bound-listener.ts';
import { MAX_UNIX_PATH_BYTES, type UnixEndpoint } from './endpoint.ts';
import { SocketFile } from './socket-file.ts';

/** What a unix socket is told about its surroundings. */
export interface UnixPlace extends ListenerPlace {
  /** Listens with this server instead of a new one. */
  readonly server?: Server;
  /** The user who gets the file. Default: the user of the process. */
  readonly owner?: number | undefined;
}

/** Binds a unix socket. Rejects with the system's error, or one with a code in its style. */
export async function bindUnix(endpoint: UnixEndpoint, place: UnixPlace = {}): Promise<BoundListener> {
  const { address } = endpoint;
  const { path } = address;
  const { server = createServer({ allowHalfOpen: true }), owner, takesPath = false } = place;
  if (!takesPath) await refuseTakenPath(path);
  const temporary = temporaryName(path);
  await listenAt(server, temporary, endpoint.backlog);
  try {
    // Whoever may write to the directory may have put a link there, to a file that root must not give away.
    if (!lstatSync(temporary).isSocket()) throw failure('ENOTSOCK', `somebody has replaced ${temporary}`);
    chmodSync(temporary, endpoint.mode);
    if (owner !== undefined) lchownSync(temporary, owner, -1);
    const file = new SocketFile(temporary);
    renameSync(temporary, path);
    const { service = '', ownsPath = () => true } = place;
    const addresses = { configured: address, bound: address };
    const record = socketRecord(service, 'unix', addresses, descriptorOf(server) ?? -1);
    const close = (): void => {
      server.close();
      if (ownsPath()) file.removeFrom(path);
    };
    return { server, address, record, close };
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Tries whether the socket could be bound, without touching the path. Rejects as {@link bindUnix} does. */
export async function probeUnix(endpoint: UnixEndpoint): Promise<void> {
  const { path } = endpoint.address;
  await refuseTakenPath(path);
  const server = createServer();
  await listenAt(server, temporaryName(path), 1);
  server.close();
}

/** Node.js answers EACCES for a directory that does not exist. */
async function listenAt(server: Server, path: string, backlog: number): Promise<void> {
  try {
    await listen(server, { path, backlog });
  } catch (error) {
    const directory = dirname(path);
    if (codeOfError(error) !== 'EACCES' || existsSync(directory)) throw error;
    throw failure('ENOENT', `${directory} does not exist`);
  }
}

/** Rejects when something lives at `path`: a server that answers, or a file that is no socket. */
async function refuseTakenPath(path: string): Promise<void> {
  const stats = lstatOrUndefined(path);
  if (stats === undefined) return;
  if (!stats.isSocket()) throw failure('ENOTSOCK', `${path} is not a socket`);
  if (await answers(path)) throw failure('EADDRINUSE', `a server answers on ${path}`);
}

/** Nobody answers when the connection is refused or the file is gone; every other outcome counts as alive. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = codeOfError(error);
      if (code === 'EACCES' || code === 'EPERM') reject(error);
      else resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

/** A free name beside `path`, not longer than a socket path may be. */
function temporaryName(path: string): string {
  const name = join(dirname(path), `.${basename(path).slice(0, 8)}.${randomBytes(4).toString('hex')}`);
  if (Buffer.byteLength(name) <= MAX_UNIX_PATH_BYTES) return name;
  const short = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  if (Buffer.byteLength(short) <= MAX_UNIX_PATH_BYTES) return short;
  throw failure('ENAMETOOLONG', `no room for a temporary name beside ${path}`);
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
