/**
 * What two processes say to each other during an upgrade. Protocol 1.
 *
 * Both: hello. Predecessor: table, then descriptors in chunks. Successor: ready. Predecessor: confirmed. Where one side
 * cannot pass descriptors: respawning, then takenOver. At any time: refuse, with the reason as a sentence.
 */
import { parseAddress } from '@cirque/transport';
import type { SocketKind, SocketRecord } from '../sockets/socket-record.ts';
import { upgradeError } from './upgrade-error.ts';

/** The protocol that this version speaks. Another number is refused. */
export const UPGRADE_PROTOCOL = 1;
/** Most sockets of one hand-over. */
export const MAX_SOCKETS = 16_384;
/** Most descriptors of one message; the system allows 253. */
export const DESCRIPTORS_PER_MESSAGE = 128;

/** A socket without the number of its descriptor, which is another one in every process. */
export type SocketEntry = Omit<SocketRecord, 'fd'>;

/** Values that a predecessor leaves to its successor: plain JSON. */
export type HandoverState = Readonly<Record<string, unknown>>;

/** One message. */
export type UpgradeMessage =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly version: string;
      readonly pid: number;
      /** Whether the sender can pass and receive descriptors. */
      readonly native: boolean;
    }
  | { readonly type: 'table'; readonly sockets: readonly SocketEntry[]; readonly state: HandoverState }
  | { readonly type: 'descriptors'; readonly count: number }
  | { readonly type: 'ready' }
  | { readonly type: 'confirmed' }
  | { readonly type: 'respawning'; readonly timeoutMs: number }
  | { readonly type: 'takenOver'; readonly pid: number }
  | { readonly type: 'refuse'; readonly reason: string };

/** A message of one type. */
export type MessageOf<T extends UpgradeMessage['type']> = Extract<UpgradeMessage, { readonly type: T }>;

type Check = (message: Record<string, unknown>) => boolean;

const CHECKS: Readonly<Record<UpgradeMessage['type'], Check>> = {
  hello: ({ protocol, version, pid, native }) =>
    isCount(protocol) && isText(version) && isCount(pid) && typeof native === 'boolean',
  table: ({ sockets, state }) =>
    Array.isArray(sockets) && sockets.length <= MAX_SOCKETS && sockets.every(isSocketEntry) && isRecord(state),
  descriptors: ({ count }) => isCount(count) && count <= DESCRIPTORS_PER_MESSAGE,
  ready: () => true,
  confirmed: () => true,
  respawning: ({ timeoutMs }) => isCount(timeoutMs),
  takenOver: ({ pid }) => isCount(pid),
  refuse: ({ reason }) => isText(reason),
};

const KINDS: readonly SocketKind[] = ['tcp', 'unix', 'udp'];

/** @throws CirqueError when the value is not a message of this protocol. */
export function upgradeMessage(value: unknown): UpgradeMessage {
  const type = isRecord(value) ? value.type : undefined;
  if (!isRecord(value) || typeof type !== 'string' || !Object.hasOwn(CHECKS, type)) {
    throw upgradeError('the other side does not speak the upgrade protocol (no message of a known type)');
  }
  if (!CHECKS[type as UpgradeMessage['type']](value)) {
    throw upgradeError(`the other side sent a message of the upgrade protocol that is not valid (${type})`);
  }
  return value as UpgradeMessage;
}

function isSocketEntry(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { service, kind, address, bound, activated } = value;
  if (!isText(service) || !KINDS.includes(kind as SocketKind)) return false;
  return isAddress(address) && isAddress(bound) && (activated === undefined || activated === true);
}

function isAddress(value: unknown): boolean {
  if (!isText(value)) return false;
  try {
    parseAddress(value);
    return true;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 4_096;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
