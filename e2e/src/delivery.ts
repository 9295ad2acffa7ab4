/**
 * In which pieces bytes reach the proxy. A parser must not care where the network cuts them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cutAtRandom, byteByByte as singleBytes } from '@cirque/testing';

export interface Delivery {
  readonly name: string;
  cut(bytes: Buffer): readonly Buffer[];
}

/** Above this size, byte by byte would say nothing new and take seconds. */
const BYTEWISE_LIMIT = 1_500;

export const whole: Delivery = { name: 'whole', cut: (bytes) => [bytes] };

export const byteByByte: Delivery = {
  name: 'byte by byte',
  cut: (bytes) => (bytes.length > BYTEWISE_LIMIT ? cutAtRandom(bytes, bytes.length) : singleBytes(bytes)),
};

export function randomCuts(seed: number): Delivery {
  return { name: `cut at random, seed ${seed}`, cut: (bytes) => cutAtRandom(bytes, seed) };
}

/** Writes the pieces, one per event loop turn, until all are out or `isOver` says that nobody listens any more. */
export async function deliver(
  bytes: Buffer,
  delivery: Delivery,
  write: (piece: Buffer) => void,
  isOver: () => boolean,
): Promise<void> {
  for (const piece of delivery.cut(bytes)) {
    if (isOver()) return;
    write(piece);
    await nextTurn();
  }
}
