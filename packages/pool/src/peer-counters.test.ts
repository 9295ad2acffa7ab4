import { parseAddress } from '@cirque/transport';
import { describe, expect, test } from 'vitest';
import { type PeerCounters, PeerTable } from './peer-counters.ts';

function connect(table: PeerTable, address: string): PeerCounters {
  const row = table.of(parseAddress(address));
  row.connects += 1;
  row.connections += 1;
  return row;
}

const NONE = {
  requests: 0,
  active: 0,
  connections: 0,
  connects: 0,
  connectFailures: 0,
  responses5xx: 0,
  resets: 0,
  timeouts: 0,
};

describe('PeerTable', () => {
  test('has one row for an address, however it was written', () => {
    const table = new PeerTable();
    const row = connect(table, '10.0.0.1:80');
    expect(table.of({ host: '10.0.0.1', port: 80 })).toBe(row);
    expect(connect(table, 'unix:/run/app.sock')).not.toBe(row);
    expect(table.snapshot()).toEqual({
      '10.0.0.1:80': { ...NONE, connects: 1, connections: 1 },
      'unix:/run/app.sock': { ...NONE, connects: 1, connections: 1 },
    });
  });

  test('gives a snapshot that does not change any more', () => {
    const table = new PeerTable();
    const before = table.snapshot();
    connect(table, '10.0.0.1:80');
    expect(before).toEqual({});
  });

  test('sums the row up as others that was used least recently, and has no connection', () => {
    const table = new PeerTable(3);
    const [first, second, third] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'].map((text) => connect(table, text));
    for (const row of [second, third] as PeerCounters[]) row.connections = 0;
    (second as PeerCounters).requests = 5;
    // The first has a connection, the second was used again: the third goes.
    connect(table, '10.0.0.2:80').connections = 0;
    connect(table, '10.0.0.4:80');
    expect(Object.keys(table.snapshot())).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.4:80', 'others']);
    expect(table.snapshot().others).toEqual({ ...NONE, connects: 1 });
    connect(table, '10.0.0.5:80');
    expect(table.snapshot().others).toEqual({ ...NONE, requests: 5, connects: 3 });
    expect(table.of(parseAddress('10.0.0.1:80'))).toBe(first);
  });

  test('counts new addresses as others while every row has a connection, and loses nothing', () => {
    const table = new PeerTable(10);
    for (let i = 0; i < 100; i += 1) connect(table, `10.0.0.${i}:80`);
    const rows = table.snapshot();
    expect(Object.keys(rows)).toHaveLength(11);
    expect(rows.others).toEqual({ ...NONE, connects: 90, connections: 90 });
  });

  test('keeps 1,024 addresses apart', () => {
    const table = new PeerTable();
    for (let i = 0; i < 1_025; i += 1) connect(table, `10.0.${i >> 8}.${i & 255}:80`);
    expect(Object.keys(table.snapshot())).toHaveLength(1_025);
    expect(table.snapshot().others).toMatchObject({ connects: 1 });
  });
});
