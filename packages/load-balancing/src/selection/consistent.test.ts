import { describe, expect, it } from 'vitest';
import { backendsOf, candidates, selectionContract } from '../../test/selection.contract.ts';
import { Backend } from '../backend.ts';
import { Consistent } from './consistent.ts';

// A ring of 160 points per unit is only so even: a backend of weight 1 has few points.
selectionContract(Consistent, { shareTolerance: 0.35 });

const parse = (addresses: readonly string[]): Backend[] => addresses.map((address) => Backend.parse(address));
const on = (host: string, ports: readonly number[]): Backend[] => parse(ports.map((port) => `${host}:${port}`));

describe('Consistent', () => {
  it.each([
    ['/some/path', 7778],
    ['/some/longer/path', 7777],
    ['/sad/zaidoon', 7778],
    ['/g', 7777],
  ])('Consistent maps %s of two servers as nginx does', (key, port) => {
    const backends = on('127.0.0.1', [7777, 7778]);
    const selection = Consistent.build(backends, undefined);
    expect(backends[selection.first(key)]).toMatchObject({ port });
  });

  it('Consistent keeps the mapping of ten servers when an eleventh is added', () => {
    const ten = parse(Array.from({ length: 10 }, (_, i) => `127.0.0.${i + 1}:6443`));
    const eleven = [...ten, Backend.parse('127.0.0.11:6443')];
    for (const backends of [ten, eleven]) {
      const selection = Consistent.build(backends, undefined);
      expect(backends[selection.first('a')]?.address).toBe('127.0.0.10:6443');
      expect(backends[selection.first('b')]?.address).toBe('127.0.0.5:6443');
    }
  });

  it('Consistent falls back clockwise: the order of the ring, each backend once', () => {
    const backends = on('127.0.0.1', [7777, 7778, 7779]);
    // The ring's own walk for this key is 8, 9, 9, 7, 7, 8, 8, 9.
    const order = candidates(Consistent.build(backends, undefined), 'doghash', 3);
    expect(order.map((position) => backends[position]?.address.at(-1))).toEqual(['8', '9', '7']);
  });

  it('Consistent maps IPv6 backends, without brackets unless it is told to use them', () => {
    const backends = on('[::1]', [7777, 7778, 7779]);
    // The ring's walk is 7, 8, 7, 8, 8, 7, 9.
    const order = candidates(Consistent.build(backends, undefined), 'doghash', 3);
    expect(order.map((position) => backends[position]?.address.at(-1))).toEqual(['7', '8', '9']);
    const plain = Consistent.build(backends, undefined);
    const bracketed = Consistent.with({ ipv6Brackets: true }).build(backends, undefined);
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`);
    expect(keys.map((key) => bracketed.first(key))).not.toEqual(keys.map((key) => plain.first(key)));
  });

  it('Consistent includes backends behind unix-domain sockets', () => {
    const backends = parse(['unix:/run/a.sock', 'unix:/run/b.sock', '10.0.0.1:80']);
    const selection = Consistent.build(backends, undefined);
    const found = new Set(Array.from({ length: 100 }, (_, i) => selection.first(`key ${i}`)));
    expect(found).toEqual(new Set([0, 1, 2]));
  });

  it('Consistent moves only the keys of a refused backend', () => {
    const selection = Consistent.build(backendsOf([1, 1, 1, 1, 1]), undefined);
    const without = Consistent.build(backendsOf([1, 1, 1, 1, 1]).slice(0, 4), undefined);
    for (let i = 0; i < 500; i += 1) {
      const position = selection.first(`key ${i}`);
      expect(without.first(`key ${i}`)).toBe(position === 4 ? selection.next() : position);
    }
  });

  it('Consistent refuses weights that make a ring of absurd size', () => {
    expect(() => Consistent.build(backendsOf([1_000_000, 100_000]), undefined)).toThrow(
      /Consistent: weights that add up to 1100000 need 176000000 points.*divide all weights/,
    );
  });
});
