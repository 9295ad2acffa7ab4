import type { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { applySocketOptions } from './socket-options.ts';

function recorder(): { socket: Socket; calls: unknown[][] } {
  const calls: unknown[][] = [];
  const socket = {
    setNoDelay: vi.fn((on: boolean) => calls.push(['setNoDelay', on])),
    setKeepAlive: vi.fn((on: boolean, ...probes: number[]) => calls.push(['setKeepAlive', on, ...probes])),
  };
  return { socket: socket as unknown as Socket, calls };
}

test('applySocketOptions switches Nagle off always, and keep-alive on when asked', () => {
  const plain = recorder();
  applySocketOptions(plain.socket, undefined);
  expect(plain.calls).toEqual([['setNoDelay', true]]);
  const kept = recorder();
  applySocketOptions(kept.socket, { keepAlive: { idleMs: 15_000 } });
  expect(kept.calls).toEqual([
    ['setNoDelay', true],
    ['setKeepAlive', true, 15_000, 1_000, 10],
  ]);
});
