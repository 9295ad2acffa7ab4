import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SocketRecord } from './socket-record.ts';
import { SocketTable } from './socket-table.ts';

function record(fields: Partial<SocketRecord>): SocketRecord {
  const address = fields.address ?? '127.0.0.1:80';
  return { service: 'web', kind: 'tcp', address, bound: address, fd: -1, ...fields };
}

/** A descriptor that really is open. */
function openDescriptor(): number {
  return openSync('/dev/null', 'r');
}

describe('SocketTable', () => {
  test('take gives each record once', () => {
    const table = new SocketTable({ inherited: [record({ fd: 7 })] });
    expect(table.take('web', 'tcp', '127.0.0.1:80')).toMatchObject([{ fd: 7 }]);
    expect(table.take('web', 'tcp', '127.0.0.1:80')).toEqual([]);
  });

  test('take wants the kind and the address to fit', () => {
    const table = new SocketTable({ inherited: [record({ fd: 7 })] });
    expect(table.take('web', 'udp', '127.0.0.1:80')).toEqual([]);
    expect(table.take('web', 'tcp', '127.0.0.1:81')).toEqual([]);
    expect(table.rest()).toHaveLength(1);
  });

  test('take prefers the same service, and takes those of others where there is none', () => {
    const table = new SocketTable({
      inherited: [record({ service: '', fd: 7 }), record({ service: 'web', fd: 8 }), record({ service: 'api', fd: 9 })],
    });
    const taken = [1, 2, 3, 4].map(() => table.take('web', 'tcp', '127.0.0.1:80').map(({ fd }) => fd));
    expect(taken).toEqual([[8], [7], [9], []]);
  });

  test('take gives all descriptors of several threads at once', () => {
    const table = new SocketTable({ inherited: [record({ fd: 7 }), record({ fd: 8 }), record({ fd: 9 })] });
    expect(table.take('web', 'tcp', '127.0.0.1:80').map(({ fd }) => fd)).toEqual([7, 8, 9]);
  });

  test('take keeps two sockets of port 0 apart', () => {
    const inherited = [
      record({ address: '127.0.0.1:0', bound: '127.0.0.1:4001', fd: 7 }),
      record({ address: '127.0.0.1:0', bound: '127.0.0.1:4002', fd: 8 }),
      record({ address: '127.0.0.1:0', bound: '127.0.0.1:4001', fd: 9 }),
    ];
    const table = new SocketTable({ inherited });
    expect(table.take('web', 'tcp', '127.0.0.1:0').map(({ fd }) => fd)).toEqual([7, 9]);
    expect(table.take('web', 'tcp', '127.0.0.1:0').map(({ fd }) => fd)).toEqual([8]);
  });

  test('take knows the spellings of an IPv6 address', () => {
    const table = new SocketTable({
      inherited: [record({ address: '[::1]:80' }), record({ address: '[fe80::1%lo]:80' })],
    });
    expect(table.take('web', 'tcp', '[fe80::1%eth0]:80')).toHaveLength(0);
    expect(table.take('web', 'tcp', '[0:0:0:0:0:0:0:1]:80')).toHaveLength(1);
  });

  test('takeAll gives what belongs to a service', () => {
    const table = new SocketTable({
      inherited: [record({ fd: 7 }), record({ service: 'api', fd: 8 }), record({ address: '[::1]:80', fd: 9 })],
    });
    expect(table.takeAll('web').map(({ fd }) => fd)).toEqual([7, 9]);
    expect(table.rest().map(({ fd }) => fd)).toEqual([8]);
  });

  test('closeRest closes what nobody took, also what is closed already', () => {
    const [open, closed] = [openDescriptor(), openDescriptor()];
    closeSync(closed);
    const table = new SocketTable({ inherited: [record({ fd: open }), record({ fd: closed })] });
    expect(table.closeRest().map(({ fd }) => fd)).toEqual([open, closed]);
    expect(() => fstatSync(open)).toThrow('EBADF');
    expect(table.rest()).toEqual([]);
    expect(table.closeRest()).toEqual([]);
  });

  test('list has what is open at the moment', () => {
    const table = new SocketTable();
    const forget = table.opened({ record: record({ fd: 7 }) });
    table.opened({ record: record({ fd: 8 }) });
    forget();
    expect(table.list().map(({ fd }) => fd)).toEqual([8]);
  });

  test('list leaves out what is open on behalf of another thread; abandon closes it, too', () => {
    const table = new SocketTable();
    const closed: number[] = [];
    table.opened({ record: record({ fd: 7 }), close: () => void closed.push(7) });
    table.opened({ record: record({ fd: 8 }), isForeign: true, close: () => void closed.push(8) });
    expect(table.list().map(({ fd }) => fd)).toEqual([7]);
    table.abandon();
    expect(closed).toEqual([7, 8]);
  });

  test('isComplete closes what was inherited beyond what is open, and ends the time of the heir', () => {
    const fd = openSync('/dev/null', 'r');
    const table = new SocketTable({ inherited: [record({ fd })], heir: 'receives' });
    expect(table.heir).toBe('receives');
    table.isComplete(async () => {});
    expect(() => fstatSync(fd)).toThrow('EBADF');
    expect(table.rest()).toEqual([]);
    expect(table.heir).toBeUndefined();
  });

  test('settled: the witness has taken note of every change, those of one moment together', async () => {
    const table = new SocketTable();
    table.opened({ record: record({ fd: 6 }) });
    const told: number[][] = [];
    const noted = Promise.withResolvers<void>();
    table.isComplete(async (sockets) => {
      told.push(sockets.map(({ fd }) => fd));
      await noted.promise;
    });
    await table.settled();
    expect(told).toEqual([]);
    const forget = table.opened({ record: record({ fd: 7 }) });
    table.opened({ record: record({ fd: 8 }) });
    let isSettled = false;
    const settled = table.settled().then(() => {
      isSettled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([told, isSettled]).toEqual([[[6, 7, 8]], false]);
    noted.resolve();
    await settled;
    forget();
    await table.settled();
    expect(told[1]).toEqual([6, 8]);
  });

  test('ownsPath: own sockets until handedOver, adopted ones from takenOver', () => {
    const table = new SocketTable();
    const unix = record({ kind: 'unix', address: 'unix:/run/x.sock' });
    expect([table.ownsPath(unix, false), table.ownsPath(unix, true)]).toEqual([true, false]);
    table.takenOver();
    expect([table.ownsPath(unix, false), table.ownsPath(unix, true)]).toEqual([true, true]);
    expect(table.ownsPath({ ...unix, activated: true }, true)).toBe(false);
    table.handedOver();
    expect([table.ownsPath(unix, false), table.ownsPath(unix, true)]).toEqual([false, false]);
  });
});
