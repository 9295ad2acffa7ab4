import type { Server } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { ListenerHold } from './listener-hold.ts';

/** A hold on a socket of which only is known whether it is open, and who accepts there. */
function made() {
  const record = { service: 's', kind: 'tcp', address: 'a:1', bound: 'a:1', fd: 1 } as const;
  const close = vi.fn();
  const changed = vi.fn();
  const listener = { server: {} as Server, address: { host: 'a', port: 1 }, record, close };
  const accepting: string[] = [];
  const by = (name: string) => (): (() => void) => {
    accepting.push(name);
    return () => void accepting.splice(accepting.indexOf(name), 1);
  };
  return { hold: new ListenerHold({ listener, changed }), close, changed, accepting, by };
}

describe('ListenerHold', () => {
  test('closes its socket once', () => {
    const { hold, close, changed, by } = made();
    hold.serve(by('one'));
    hold.close();
    hold.close();
    expect(close).toHaveBeenCalledTimes(1);
    expect(changed).toHaveBeenCalledTimes(1);
    expect(hold.isOpen).toBe(false);
  });

  test('whoever borrows it accepts from the moment on which it serves; the last one closes it', () => {
    const { hold, close, accepting, by } = made();
    hold.serve(by('one'));
    const next = hold.lend(() => {});
    expect([accepting, hold.isLent]).toEqual([['one'], true]);
    next.serve(by('two'));
    expect(accepting).toEqual(['two']);
    hold.close();
    expect(close).not.toHaveBeenCalled();
    expect(accepting).toEqual(['two']);
    const third = next.lend(() => {});
    next.close();
    third.serve(by('three'));
    expect(accepting).toEqual(['three']);
    third.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('when who borrows it gives up, the lender goes on, whether it was served already or not', () => {
    const { hold, close, accepting, by } = made();
    hold.serve(by('one'));
    hold.lend(() => {}).close();
    expect([accepting, hold.isLent]).toEqual([['one'], false]);
    const again = hold.lend(() => {});
    again.serve(by('two'));
    again.close();
    expect(accepting).toEqual(['one']);
    expect(close).not.toHaveBeenCalled();
    hold.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('is lent to one only, and not when it is closed', () => {
    const { hold } = made();
    hold.lend(() => {});
    expect(() => hold.lend(() => {})).toThrow('the socket of a:1 is lent already, or closed');
    const closed = made().hold;
    closed.close();
    expect(() => closed.lend(() => {})).toThrow('the socket of a:1 is lent already, or closed');
  });
});
