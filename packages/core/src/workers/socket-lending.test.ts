import { beforeEach, describe, expect, test } from 'vitest';
import type { SocketKind, SocketRecord } from '../sockets/socket-record.ts';
import { SocketLending } from './socket-lending.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** What is lent to a thread, by owner. */
class FakeThread {
  readonly holds: Map<number, number> = new Map();
  told = 0;

  tell(name: string, argument: number | { owner: number; sockets: readonly SocketRecord[] }): void {
    this.told += 1;
    if (typeof argument === 'number') this.holds.delete(argument);
    else this.holds.set(argument.owner, argument.sockets.length);
    expect(name).toBe(typeof argument === 'number' ? 'release' : 'adopt');
  }

  get owners(): readonly number[] {
    return [...this.holds.keys()];
  }
}

class FakeSlot {
  readonly index: number;
  readonly vault: { sockets: SocketRecord[] };
  thread: FakeThread | undefined = new FakeThread();
  isSilent = false;

  constructor(index: number, kinds: readonly SocketKind[]) {
    this.index = index;
    this.vault = { sockets: kinds.map((kind) => ({ service: 's', kind, address: 'a', bound: 'a', fd: 1 })) };
  }

  get awake(): FakeThread | undefined {
    return this.isSilent ? undefined : this.thread;
  }
}

let slots: FakeSlot[];
let lending: SocketLending;

beforeEach(() => make(3, ['tcp']));

function make(count: number, kinds: readonly SocketKind[]): void {
  slots = Array.from({ length: count }, (_, index) => new FakeSlot(index, kinds));
  lending = new SocketLending(slots as unknown as WorkerSlot[]);
  lending.settle();
}

const at = (index: number): FakeSlot => slots[index] as FakeSlot;
const owners = (): (readonly number[] | undefined)[] => slots.map(({ thread }) => thread?.owners);

describe('SocketLending', () => {
  test('lends nothing while all serve', () => {
    expect(owners()).toEqual([[], [], []]);
  });

  test('lends to a sibling, once, until there is a thread again', () => {
    at(0).thread = undefined;
    lending.settle();
    lending.settle();
    expect(owners()).toEqual([undefined, [0], []]);
    expect(at(1).thread?.told).toBe(1);
    at(0).thread = new FakeThread();
    lending.settle();
    expect(owners()).toEqual([[], [], []]);
  });

  test('lends for a thread that is there, but does not answer', () => {
    at(1).isSilent = true;
    lending.settle();
    expect(owners()).toEqual([[1], [], []]);
    at(1).isSilent = false;
    lending.settle();
    expect(owners()).toEqual([[], [], []]);
  });

  test('lends again when the sibling dies, and to one that has helped nobody yet', () => {
    at(0).thread = undefined;
    lending.settle();
    at(1).thread = undefined;
    lending.settle();
    expect(owners()).toEqual([undefined, undefined, [0, 1]]);
    make(4, ['tcp']);
    at(0).thread = undefined;
    at(1).thread = undefined;
    lending.settle();
    expect(owners()).toEqual([undefined, undefined, [0], [1]]);
  });

  test('lends as soon as there is anybody, when all were gone', () => {
    for (const slot of slots) slot.thread = undefined;
    lending.settle();
    at(2).thread = new FakeThread();
    lending.settle();
    expect(owners()).toEqual([undefined, undefined, [0, 1]]);
  });

  test('lends no UDP sockets, and nothing where nothing is kept', () => {
    make(2, ['udp']);
    at(0).thread = undefined;
    lending.settle();
    make(2, []);
    at(0).thread = undefined;
    lending.settle();
    expect(owners()).toEqual([undefined, []]);
  });

  test('gives each further thread the unix sockets of the first one, once', () => {
    make(3, []);
    at(0).vault.sockets.push({ service: 's', kind: 'unix', address: '/s', bound: '/s', fd: 1 });
    lending.settle();
    lending.settle();
    expect(owners()).toEqual([[], [-1], [-1]]);
    expect(at(1).thread?.told).toBe(1);
    at(1).thread = new FakeThread();
    lending.settle();
    expect(at(1).thread?.owners).toEqual([-1]);
  });

  test('gives further unix sockets that come later, each once', () => {
    make(2, []);
    const record = { service: 's', kind: 'unix', address: '/s', bound: '/s', fd: 1 } as const;
    at(0).vault.sockets.push(record);
    lending.settle();
    at(0).vault.sockets.push({ ...record, address: '/t' }, { ...record, address: '/u' });
    lending.settle();
    lending.settle();
    expect(at(1).thread?.told).toBe(2);
    expect(at(1).thread?.holds.get(-1)).toBe(2);
  });

  test('gives no unix socket to a thread that has its own, from a predecessor', () => {
    make(2, ['unix']);
    expect(owners()).toEqual([[], []]);
  });
});
