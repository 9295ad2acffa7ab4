import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { mergeBackends, parseBackends, sameBackends } from './backend-list.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));
const known = (backends: readonly Backend[]): Map<string, Backend> => new Map(backends.map((b) => [b.address, b]));

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
    expect(mergeBackends([zero, ...parse('b:1', 'a:1')]).map((b) => b.address)).toEqual(['b:1', 'a:1', 'z:1']);
  });

  it('mergeBackends adds up the weights of entries with one address, under any spelling', () => {
    const [merged, ...others] = mergeBackends([
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
    expect(merged).toMatchObject({ address: '[::1]:80', weight: 5 });
    expect(merged?.ext).toEqual(
      new Map([
        ['rack', '7'],
        ['zone', 'first'],
      ]),
    );
  });

  it('mergeBackends refuses sums that are too large and entries that are no backends', () => {
    const heavy = Backend.parse('a:1', { weight: 1_000_000 });
    expect(() => mergeBackends([heavy, Backend.parse('a:1')])).toThrow(/weights of backend a:1 add up to 1000001/);
    // @ts-expect-error not a backend
    expect(() => mergeBackends([heavy, 'b:1'])).toThrow(
      /backends\[1\] is not a Backend; Backend\.parse\(text\) makes one/,
    );
  });
});

describe('sameBackends', () => {
  it('sameBackends looks at addresses, weights and data, not at the order', () => {
    const list = parse('a:1', 'b:1');
    expect(sameBackends(known(list), parse('b:1', 'a:1'))).toBe(true);
    expect(sameBackends(known(list), parse('a:1'))).toBe(false);
    expect(sameBackends(known(list), parse('a:1', 'c:1'))).toBe(false);
    expect(sameBackends(known(list), [...parse('a:1'), Backend.parse('b:1', { weight: 2 })])).toBe(false);
    const withData = (value: string | undefined): Backend[] => [Backend.parse('a:1', { ext: new Map([['k', value]]) })];
    expect(sameBackends(known(withData('v')), withData('v'))).toBe(true);
    expect(sameBackends(known(withData('v')), withData('w'))).toBe(false);
    expect(sameBackends(known(withData(undefined)), [Backend.parse('a:1', { ext: new Map([['l', 1]]) })])).toBe(false);
  });
});
