import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { type KnownBackends, mergeBackends, parseBackends, sameBackends } from './backend-list.ts';
import { runAtOnce } from './run-in-slices.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));
const known = (list: readonly Backend[]): KnownBackends => ({
  list,
  positions: new Map(list.map((b, i) => [b.address, i])),
});
const merged = (backends: Iterable<Backend>): Backend[] => runAtOnce(mergeBackends(backends));
const isSameList = (one: KnownBackends, other: readonly Backend[]): boolean => runAtOnce(sameBackends(one, other));

describe('parseBackends', () => {
  it('parseBackends takes text and backends', () => {
    const backend = Backend.parse('b:2', { weight: 2 });
    const list = parseBackends(new Set(['a:1', backend]));
    expect(list.map((entry) => entry.address)).toEqual(['a:1', 'b:2']);
    expect(list[1]).toBe(backend);
  });

  it('parseBackends names the position, the text and the right forms', () => {
    expect(() => parseBackends(['a:1', '1.1.1.1'])).toThrow(TypeError);
    expect(() => parseBackends(['a:1', '1.1.1.1'])).toThrow(
      /^addresses\[1\]: backend address "1\.1\.1\.1" is not valid: expected 'host:port'/,
    );
  });
});

describe('mergeBackends', () => {
  it('mergeBackends keeps the order and puts weight zero last', () => {
    const zero = Backend.parse('z:1', { weight: 0 });
    expect(merged([zero, ...parse('b:1', 'a:1')]).map((b) => b.address)).toEqual(['b:1', 'a:1', 'z:1']);
  });

  it('mergeBackends adds up the weights of entries with one address, under any spelling', () => {
    const [only, ...others] = merged([
      Backend.parse('[::1]:80', { weight: 2, ext: new Map([['zone', 'first']]) }),
      Backend.parse('[0:0::1]:80', {
        weight: 3,
        ext: new Map([
          ['zone', 'second'],
          ['rack', '7'],
        ]),
      }),
    ]);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ address: '[::1]:80', weight: 5 });
    expect(only?.ext).toEqual(
      new Map([
        ['rack', '7'],
        ['zone', 'first'],
      ]),
    );
  });

  it('mergeBackends puts smaller priorities first, whatever the order, and keeps what the first of one address says', () => {
    const of = (text: string, priority: number, weight = 1): Backend => Backend.parse(text, { priority, weight });
    const list = merged([of('c:1', 7), of('z:1', 0, 0), of('a:1', 2), of('b:1', 7), of('d:1', 0), of('a:1', 0)]);
    expect(list.map((b) => [b.address, b.priority, b.weight])).toEqual([
      ['d:1', 0, 1],
      ['a:1', 2, 2],
      ['c:1', 7, 1],
      ['b:1', 7, 1],
      ['z:1', 0, 0],
    ]);
    const [sum] = merged([Backend.parse('a:1', { maxConnections: 3 }), Backend.parse('a:1', { maxConnections: 9 })]);
    expect(sum).toMatchObject({ weight: 2, maxConnections: 3 });
  });

  it('mergeBackends refuses sums that are too large and entries that are no backends', () => {
    const heavy = Backend.parse('a:1', { weight: 1_000_000 });
    expect(() => merged([heavy, Backend.parse('a:1')])).toThrow(/weights of backend a:1 add up to 1000001/);
    // @ts-expect-error not a backend
    expect(() => merged([heavy, 'b:1'])).toThrow(/backends\[1\] is not a Backend; Backend\.parse\(text\) makes one/);
  });
});

describe('sameBackends', () => {
  it('sameBackends looks at addresses, weights and data, not at the order', () => {
    const list = parse('a:1', 'b:1');
    expect(isSameList(known(list), parse('b:1', 'a:1'))).toBe(true);
    expect(isSameList(known(list), parse('a:1'))).toBe(false);
    expect(isSameList(known(list), parse('a:1', 'c:1'))).toBe(false);
    expect(isSameList(known(list), [...parse('a:1'), Backend.parse('b:1', { weight: 2 })])).toBe(false);
    expect(isSameList(known(list), [...parse('a:1'), Backend.parse('b:1', { priority: 1 })])).toBe(false);
    expect(isSameList(known(list), [...parse('a:1'), Backend.parse('b:1', { maxConnections: 1 })])).toBe(false);
    const withData = (value: string | undefined): Backend[] => [Backend.parse('a:1', { ext: new Map([['k', value]]) })];
    expect(isSameList(known(withData('v')), withData('v'))).toBe(true);
    expect(isSameList(known(withData('v')), withData('w'))).toBe(false);
    expect(isSameList(known(withData(undefined)), [Backend.parse('a:1', { ext: new Map([['l', 1]]) })])).toBe(false);
  });
});
