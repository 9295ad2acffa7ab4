import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { Http2Keepalive } from './http2-keepalive.ts';

function start(intervalMs: number, timeoutMs: number) {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const log: string[] = [];
  const connection = {
    sendPing: (payload: bigint) => void log.push(`ping ${payload}`),
    pingTimedOut: () => void log.push('dead'),
  };
  return { keepalive: new Http2Keepalive(connection, intervalMs, timeoutMs, wheel), clock, wheel, log };
}

test('Http2Keepalive: an interval of 0 sends nothing', () => {
  const { clock, wheel, log } = start(0, 100);
  clock.advance(100_000);
  expect(log).toEqual([]);
  expect(wheel.size).toBe(0);
});

test('Http2Keepalive: one ping per interval while they are answered', () => {
  const { keepalive, clock, log } = start(1_000, 500);
  clock.advance(1_020);
  keepalive.answered(1n);
  clock.advance(980);
  expect(log).toEqual(['ping 1']);
  clock.advance(60);
  expect(log).toEqual(['ping 1', 'ping 2']);
});

test('Http2Keepalive: silence after a ping is death, whatever old answers come', () => {
  const { keepalive, clock, log } = start(1_000, 500);
  clock.advance(1_020);
  keepalive.answered(1n);
  clock.advance(1_020);
  keepalive.answered(1n);
  clock.advance(520);
  expect(log).toEqual(['ping 1', 'ping 2', 'dead']);
});

test('Http2Keepalive: an answer behind much else is waited for', () => {
  const { keepalive, clock, log } = start(1_000, 500);
  clock.advance(1_020);
  for (let i = 0; i < 5; i += 1) {
    keepalive.heard();
    clock.advance(520);
  }
  expect(log).toEqual(['ping 1']);
  keepalive.answered(1n);
  clock.advance(1_020);
  expect(log).toEqual(['ping 1', 'ping 2']);
});

test('Http2Keepalive: closed, it does nothing', () => {
  const { keepalive, clock, log, wheel } = start(1_000, 500);
  keepalive.close();
  clock.advance(5_000);
  expect(log).toEqual([]);
  expect(wheel.size).toBe(0);
});
