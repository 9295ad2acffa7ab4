/**
 * Finds out what kind of socket a descriptor is, and where it is bound, from /proc. Linux only; needs no native calls.
 *
 * Source: proc_net_tcp.txt of the kernel, and proc_pid_net(5).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import { formatAddress } from '@cirque/transport';
import type { SocketKind } from '../sockets/socket-record.ts';

/** What /proc says of a socket. */
export interface SocketFacts {
  readonly kind: SocketKind;
  readonly bound: string;
}

interface NetFile {
  readonly file: string;
  readonly find: (fields: readonly string[], inode: string) => SocketFacts | undefined;
}

const TCP_LISTEN = '0A';
const UDP_CONNECTED = '01';
const UDP_LOOKS = 3;
const UNIX_LISTENING = 0x10000;
const UNIX_STREAM = 1;

const FILES: readonly NetFile[] = [
  { file: 'tcp', find: (fields, inode) => inetSocket('tcp', fields, inode) },
  { file: 'tcp6', find: (fields, inode) => inetSocket('tcp', fields, inode) },
  { file: 'udp', find: (fields, inode) => inetSocket('udp', fields, inode) },
  { file: 'udp6', find: (fields, inode) => inetSocket('udp', fields, inode) },
  { file: 'unix', find: unixSocket },
];

/**
 * The listening socket behind a descriptor of this process; undefined when it is anything else.
 *
 * @param root where the files are. Default `/proc/self`.
 */
export function listeningSocket(descriptor: number, root: string = '/proc/self'): SocketFacts | undefined {
  const inode = inodeOf(descriptor, root);
  if (inode === undefined) return undefined;
  for (const { file, find } of FILES) {
    for (const line of linesOf(`${root}/net/${file}`)) {
      const facts = find(line.trim().split(/\s+/), inode);
      if (facts !== undefined) return facts;
    }
  }
  return undefined;
}

/**
 * Whether all UDP sockets on this port, at whatever address, are connected to somebody, and there is one: nobody receives from
 * everybody there. False where that cannot be told.
 *
 * The kernel may leave out a socket while others come and go, so this looks several times; those of a port are told together.
 *
 * @param root where the files are. Default `/proc/self`.
 */
export function isOnlyConnected(port: number, root: string = '/proc/self'): boolean {
  for (let look = 0; look < UDP_LOOKS; look += 1) {
    const states = udpStates(port, root);
    if (states.length === 0 || states.some((state) => state !== UDP_CONNECTED)) return false;
  }
  return true;
}

function udpStates(port: number, root: string): readonly (string | undefined)[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['udp', 'udp6'].flatMap((file) => linesOf(`${root}/net/${file}`));
  const sockets = lines.map((line) => line.trim().split(/\s+/)).filter(([, local]) => local?.endsWith(suffix));
  return sockets.map(([, , , state]) => state);
}

function inodeOf(descriptor: number, root: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${root}/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

/** A family that the kernel does not have has no file. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** Columns: slot, local address, remote address, state, queues, timer, retransmits, user, timeout, inode. */
function inetSocket(kind: 'tcp' | 'udp', fields: readonly string[], inode: string): SocketFacts | undefined {
  const [, local = '', , state, , , , , , ownInode] = fields;
  if (ownInode !== inode || (kind === 'tcp' && state !== TCP_LISTEN)) return undefined;
  const [address = '', port = ''] = local.split(':');
  const bytes = addressBytes(address);
  const host = bytes.length === 4 ? bytes.join('.') : ipv6Text(bytes);
  return { kind, bound: formatAddress({ host, port: Number.parseInt(port, 16) }) };
}

/** Columns: number, references, protocol, flags, type, state, inode, path. Only paths have a file that clients find. */
function unixSocket(fields: readonly string[], inode: string): SocketFacts | undefined {
  const [, , , flags = '', type = '', , ownInode, ...path] = fields;
  if (ownInode !== inode || path[0]?.startsWith('/') !== true) return undefined;
  const listening = (Number.parseInt(flags, 16) & UNIX_LISTENING) !== 0;
  if (!listening || Number.parseInt(type, 16) !== UNIX_STREAM) return undefined;
  return { kind: 'unix', bound: formatAddress({ path: path.join(' ') }) };
}

/** The kernel prints words of four bytes as numbers of this machine. */
function addressBytes(hex: string): number[] {
  const words = hex.match(/.{8}/g) ?? [];
  return words.flatMap((word) => {
    const bytes = [...Buffer.from(word, 'hex')];
    return endianness() === 'LE' ? bytes.reverse() : bytes;
  });
}

function ipv6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => {
    return (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16);
  });
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
