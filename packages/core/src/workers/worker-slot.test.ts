import { CirqueError } from '@cirque/error';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { SocketVault } from './socket-vault.ts';
import { type SlotHost, WorkerSlot } from './worker-slot.ts';
import type { WorkerEnd, WorkerThread } from './worker-thread.ts';

/** What a slot sees of a thread. */
class FakeThread {
  readonly asked: string[] = [];
  readonly row: number;
  readyForMs = 0;
  /** So many questions were not answered. */
  silentFor = 0;
  /** Nothing ends it. */
  isStuck = false;
  readonly #ready = Promise.withResolvers<readonly SocketRecord[]>();
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  readonly ready: Promise<readonly SocketRecord[]> = this.#ready.promise;
  readonly ended: Promise<WorkerEnd> = this.#ended.promise;

  constructor(row: number) {
    this.row = row;
    this.ready.catch(() => {});
  }

  becomeReady(): void {
    this.readyForMs = 1;
    this.#ready.resolve([]);
  }

  die(): void {
    const error = CirqueError.internal('InternalError', 'died');
    this.#ready.reject(error);
    this.#ended.resolve(error);
  }

  tell(name: string): void {
    this.asked.push(name);
  }

  stop(): void {
    this.asked.push('stop');
  }

  async end(error?: CirqueError): Promise<boolean> {
    this.asked.push('end');
    if (this.isStuck) return false;
    this.#ready.reject(new Error('ended'));
    this.#ended.resolve(error);
    return true;
  }

  beat(): number {
    return this.silentFor;
  }
}

class FakeHost implements SlotHost {
  readonly logger = silentLogger;
  readonly leaveMs = 1_000;
  readonly spawned: FakeThread[] = [];
  readonly cleared: (row: number) => void = vi.fn();
  readonly changed: () => void = vi.fn();
  failure: Error | undefined;
  moveFailure: Error | undefined;

  spawn(_slot: WorkerSlot, row: number): WorkerThread {
    if (this.failure !== undefined) throw this.failure;
    const thread = new FakeThread(row);
    this.spawned.push(thread);
    return thread as unknown as WorkerThread;
  }

  async moveSockets(_old: WorkerThread, _next: WorkerThread, sockets: readonly SocketRecord[]) {
    if (this.moveFailure !== undefined) throw this.moveFailure;
    return sockets;
  }

  thread(position: number): FakeThread {
    return this.spawned[position] as FakeThread;
  }
}

let host: FakeHost;
let slot: WorkerSlot;

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost();
  slot = new WorkerSlot(0, [0, 2], new SocketVault(undefined), host);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything happen that waits for promises only. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

async function started(): Promise<FakeThread> {
  const start = slot.start();
  host.thread(0).becomeReady();
  await start;
  return host.thread(0);
}

describe('WorkerSlot', () => {
  test('start fails when no thread can be made', async () => {
    host.failure = new Error('no threads left');
    await expect(slot.start()).rejects.toThrow('no threads left');
  });

  test('a thread that dies is replaced after a while, in the same row', async () => {
    (await started()).die();
    await settle();
    expect(slot.thread).toBe(undefined);
    expect(host.cleared).toHaveBeenCalledWith(0);
    await vi.advanceTimersByTimeAsync(100);
    host.thread(1).becomeReady();
    await settle();
    expect(slot.thread).toBe(host.thread(1));
    expect(host.thread(1).row).toBe(0);
  });

  test('where no thread can be made in the place of a dead one, that is tried again later', async () => {
    (await started()).die();
    host.failure = new Error('no threads left');
    await vi.advanceTimersByTimeAsync(100);
    host.failure = undefined;
    expect(host.spawned).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    host.thread(1).becomeReady();
    await settle();
    expect(slot.thread).toBe(host.thread(1));
  });

  test('replace: the old thread stops when the new one serves, which counts in another row', async () => {
    const old = await started();
    const replaced = slot.replace();
    await settle();
    expect(old.asked).toEqual([]);
    host.thread(1).becomeReady();
    await settle();
    expect(old.asked).toEqual(['handedOver', 'stop']);
    expect(slot.thread).toBe(host.thread(1));
    expect([old.row, host.thread(1).row]).toEqual([0, 2]);
    await old.end();
    await replaced;
    expect(host.cleared).toHaveBeenCalledExactlyOnceWith(0);
  });

  test('replace: of an old thread that dies meanwhile nobody else takes the place', async () => {
    const old = await started();
    const replaced = slot.replace();
    await settle();
    old.die();
    await vi.advanceTimersByTimeAsync(60_000);
    host.thread(1).becomeReady();
    await replaced;
    expect(slot.thread).toBe(host.thread(1));
    expect(host.spawned).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(host.spawned).toHaveLength(2);
  });

  test('replace: when the new thread cannot begin, the old one goes on', async () => {
    const old = await started();
    const replaced = slot.replace();
    await settle();
    host.thread(1).die();
    await expect(replaced).rejects.toThrow('died');
    expect(slot.thread).toBe(old);
    expect(old.asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(host.spawned).toHaveLength(2);
  });

  test('replace: when both threads die, a third one takes the place', async () => {
    const old = await started();
    const replaced = slot.replace();
    await settle();
    old.die();
    await vi.advanceTimersByTimeAsync(60_000);
    host.thread(1).die();
    await expect(replaced).rejects.toThrow('died');
    await vi.advanceTimersByTimeAsync(60_000);
    host.thread(2).becomeReady();
    await settle();
    expect(slot.thread).toBe(host.thread(2));
  });

  test('replace: when sockets are lost on their way, both threads go and a third one binds afresh', async () => {
    const old = await started();
    host.moveFailure = new Error('lost on the way');
    const replaced = slot.replace();
    await settle();
    host.thread(1).becomeReady();
    await expect(replaced).rejects.toThrow('lost on the way');
    expect([old.asked, host.thread(1).asked]).toEqual([['end'], ['end']]);
    await vi.advanceTimersByTimeAsync(100);
    host.thread(2).becomeReady();
    await settle();
    expect(slot.thread).toBe(host.thread(2));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(host.spawned).toHaveLength(3);
  });

  test('replace: an old thread that does not finish in time is ended', async () => {
    const old = await started();
    const replaced = slot.replace();
    await settle();
    host.thread(1).becomeReady();
    await vi.advanceTimersByTimeAsync(999);
    expect(old.asked).toEqual(['handedOver', 'stop']);
    await vi.advanceTimersByTimeAsync(1);
    expect(old.asked).toEqual(['handedOver', 'stop', 'end']);
    await replaced;
  });

  test('beat: a thread that does not answer is awake again when it does', async () => {
    const thread = await started();
    const beats: boolean[] = [];
    for (const silentFor of [0, 1, 2, 3, 4, 0]) {
      thread.silentFor = silentFor;
      slot.beat();
      beats.push(slot.awake === undefined);
    }
    expect(beats).toEqual([false, false, false, true, true, false]);
    expect(host.changed).toHaveBeenCalledTimes(3); // when it began, and at both ends of the silence
    expect(slot.thread).toBe(thread);
  });

  test.each([false, true])(
    'beat: a thread that never answers is replaced; that it cannot be ended: %s',
    async (isStuck) => {
      const thread = await started();
      Object.assign(thread, { silentFor: 10, isStuck });
      slot.beat();
      await settle();
      expect(thread.asked).toEqual(['end']);
      expect(slot.living).toEqual([]);
      await vi.advanceTimersByTimeAsync(100);
      host.thread(1).becomeReady();
      await settle();
      expect(slot.thread).toBe(host.thread(1));
      slot.stop();
      expect(slot.living).toEqual([host.thread(1)]);
    },
  );

  test('replace: twice at the same time is one after the other', async () => {
    const old = await started();
    const both = Promise.all([slot.replace(), slot.replace()]);
    await settle();
    expect(host.spawned).toHaveLength(2);
    host.thread(1).becomeReady();
    await settle();
    expect(host.spawned).toHaveLength(2); // the old one has not finished
    await old.end();
    await settle();
    host.thread(2).becomeReady();
    await settle();
    expect(host.thread(2).row).toBe(0);
    await host.thread(1).end();
    await both;
  });

  test('replaceFull: waits longer each time that a new thread is full soon, so that nothing spins', async () => {
    await started();
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const [thread, count] = [host.spawned.at(-1) as FakeThread, host.spawned.length];
      const since = Date.now();
      slot.replaceFull(thread as unknown as WorkerThread);
      while (host.spawned.length === count) await vi.advanceTimersByTimeAsync(100);
      waits.push(Date.now() - since);
      host.spawned.at(-1)?.becomeReady();
      await thread.end();
      await settle();
    }
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(30_000);
  });

  test('listens: what the thread has opened and closed since it was ready; nobody else is listened to', async () => {
    const thread = await started();
    const sockets: SocketRecord[] = [{ service: 's', kind: 'tcp', address: 'a', bound: 'a', fd: 1 }];
    const changes = vi.mocked(host.changed).mock.calls.length;
    slot.listens(thread as unknown as WorkerThread, sockets);
    expect(slot.sockets).toBe(sockets);
    expect(host.changed).toHaveBeenCalledTimes(changes + 1);
    slot.listens(new FakeThread(0) as unknown as WorkerThread, []);
    expect(slot.sockets).toBe(sockets);
    slot.stop();
    slot.listens(thread as unknown as WorkerThread, []);
    expect(slot.sockets).toBe(sockets);
    expect(host.changed).toHaveBeenCalledTimes(changes + 1);
  });

  test('listens: what the next thread was given is kept until that is ready', async () => {
    const thread = (await started()) as unknown as WorkerThread;
    const [keep, keepOnly] = [vi.spyOn(slot.vault, 'keep'), vi.spyOn(slot.vault, 'keepOnly')];
    const replaced = slot.replace();
    await settle();
    slot.listens(thread, []);
    expect([keep.mock.calls.length, keepOnly.mock.calls.length]).toEqual([1, 0]);
    host.thread(1).becomeReady();
    await settle();
    expect([keep.mock.calls.length, keepOnly.mock.calls.length]).toEqual([1, 1]);
    host.thread(0).die();
    await replaced;
  });

  test('forget: only where no thread lives that may be about to begin with it', async () => {
    const drop = vi.spyOn(slot.vault, 'drop');
    await started();
    slot.forget(() => true);
    expect(drop).not.toHaveBeenCalled();
    host.thread(0).die();
    await settle();
    slot.forget(() => true);
    expect(drop).toHaveBeenCalledTimes(1);
  });

  test('stop: a thread that serves may finish, one that is not ready is ended', async () => {
    const old = await started();
    void slot.replace().catch(() => {});
    await settle();
    slot.stop();
    expect(old.asked).toEqual(['stop']);
    expect(host.thread(1).asked).toEqual(['end']);
  });

  test('stop: nothing is started any more', async () => {
    (await started()).die();
    await settle();
    slot.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(host.spawned).toHaveLength(1);
  });
});
