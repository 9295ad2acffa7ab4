/**
 * Looks at what a connection begins with, before anybody owns it, and puts back what it did not use.
 */
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What was made of the first bytes: a value, and how many of them belong to it. */
export interface FirstBytes<T> {
  readonly value: T;
  readonly used: number;
}

/** How long the first bytes may take. */
export interface FirstBytesDeadline {
  readonly ms: number;
  readonly error: () => CirqueError;
  readonly wheel?: TimerWheel | undefined;
}

/**
 * Reads until `judge` has seen enough. It is given everything that has arrived, each time there is more, and answers
 * undefined to wait. The duplex is left as it was: not flowing, with the rest unread.
 *
 * @param duplex not read by anybody, and not with callback reads.
 * @throws CirqueError of type ConnectionClosed when the connection ends before; the error of the deadline; what `judge` throws.
 */
export function readFirst<T>(
  duplex: Duplex,
  judge: (bytes: Buffer) => FirstBytes<T> | undefined,
  deadline: FirstBytesDeadline,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let bytes: Buffer = Buffer.alloc(0);
  const finish = (): void => {
    timer.close();
    duplex.off('readable', onReadable).off('end', onGone).off('close', onGone);
  };
  const fail = (error: unknown): void => {
    finish();
    reject(error);
  };
  const timer = new Timer(() => fail(deadline.error()), deadline.wheel);
  const onGone = (): void =>
    fail(CirqueError.downstream('ConnectionClosed', 'the client left before it said anything'));
  const onReadable = (): void => {
    const before = bytes.length;
    for (let chunk = read(duplex); chunk !== null; chunk = read(duplex)) bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length === before) return;
    try {
      const verdict = judge(bytes);
      if (verdict === undefined) return;
      finish();
      if (verdict.used < bytes.length) duplex.unshift(bytes.subarray(verdict.used));
      resolve(verdict.value);
    } catch (error) {
      fail(error);
    }
  };
  timer.set(deadline.ms);
  duplex.on('readable', onReadable).on('end', onGone).on('close', onGone);
  if (duplex.destroyed || duplex.readableEnded) onGone();
  return promise;
}

function read(duplex: Duplex): Buffer | null {
  return duplex.read() as Buffer | null;
}
