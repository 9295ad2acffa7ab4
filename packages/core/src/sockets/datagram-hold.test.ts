import type { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { DatagramHold } from './datagram-hold.ts';

function made() {
  const socket = new EventEmitter();
  const close = vi.fn();
  const record = { service: 's', kind: 'udp', address: 'a:1', bound: 'a:1', fd: 1 } as const;
  const parts = { socket: socket as unknown as Socket, address: { host: 'a', port: 1 }, record, close };
  const heard: string[] = [];
  const hears = (name: string): void => {
    socket.on('message', () => void heard.push(name));
    socket.on('error', () => void heard.push(`error of ${name}`));
  };
  const whoHears = (event: string): string[] => {
    socket.emit(event);
    return heard.splice(0);
  };
  return { hold: new DatagramHold({ ...parts, changed: () => {} }), close, hears, whoHears, socket };
}

describe('DatagramHold', () => {
  test('from its first listener on, who borrows it receives; the last one closes it', () => {
    const { hold, close, hears, whoHears } = made();
    hears('one');
    const next = hold.lend(() => {});
    expect(whoHears('message')).toEqual(['one']);
    hears('two');
    hears('two as well');
    expect(whoHears('message')).toEqual(['two', 'two as well']);
    expect(whoHears('error')).toEqual(['error of one', 'error of two', 'error of two as well']);
    hold.close();
    expect(whoHears('error')).toEqual(['error of two', 'error of two as well']);
    expect(close).not.toHaveBeenCalled();
    next.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('when who borrows it gives up, the lender goes on', () => {
    const { hold, close, hears, whoHears, socket } = made();
    hears('one');
    hold.lend(() => {}).close();
    expect(whoHears('message')).toEqual(['one']);
    const next = hold.lend(() => {});
    hears('two');
    next.close();
    expect(whoHears('message')).toEqual(['one']);
    expect(whoHears('error')).toEqual(['error of one']);
    expect(socket.listenerCount('newListener')).toBe(0);
    expect(close).not.toHaveBeenCalled();
    hold.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('is lent to one only', () => {
    const { hold } = made();
    hold.lend(() => {});
    expect(hold.isLent).toBe(true);
    expect(() => hold.lend(() => {})).toThrow('the socket of a:1 is lent already, or closed');
  });
});
