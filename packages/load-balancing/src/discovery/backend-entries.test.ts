import { describe, expect, it } from 'vitest';
import { runAtOnce } from '../run-in-slices.ts';
import { type ListText, readBackendList } from './backend-entries.ts';

const read = (format: ListText['format'], text: string, allowEmpty = false): unknown[] => {
  const { backends, enabled } = runAtOnce(readBackendList({ name: 'list', text, format, allowEmpty }));
  return Array.from(backends, ({ address, weight, priority, maxConnections }) => [
    address,
    weight,
    priority,
    maxConnections,
    enabled?.get(address) ?? true,
  ]);
};

describe('readBackendList of JSON', () => {
  it('readBackendList takes addresses and objects', () => {
    const text = JSON.stringify([
      '10.0.0.1:80',
      { address: '[0:0::1]:80', weight: 3 },
      { address: 'unix:/run/a.sock', priority: 2, maxConnections: 100, enabled: false },
      { address: 'Name.example:80', enabled: true, weight: 0 },
      { address: 'b:1', enabled: null, weight: null, priority: null, maxConnections: null },
    ]);
    expect(read('json', text)).toEqual([
      ['10.0.0.1:80', 1, 0, 0, true],
      ['[::1]:80', 3, 0, 0, true],
      ['unix:/run/a.sock', 1, 2, 100, false],
      ['name.example:80', 0, 0, 0, true],
      ['b:1', 1, 0, 0, true],
    ]);
  });

  it('readBackendList takes an empty list only when that is allowed', () => {
    expect(read('json', '[]', true)).toEqual([]);
    expect(() => read('json', '[]')).toThrow('list has no backends; allowEmpty: true takes that for an answer');
    expect(() => read('json', '', true)).toThrow(/^list is not JSON, or half-written: /);
  });

  it('readBackendList switches an address off when one of its entries does', () => {
    const [on, off] = [{ address: 'a:1' }, { address: 'A:1', enabled: false }];
    for (const list of [
      [on, off],
      [off, on],
    ]) {
      expect(read('json', JSON.stringify(list)).map((entry) => (entry as unknown[])[4])).toEqual([false, false]);
    }
  });

  it.each([
    ['["10.0.0.1:80", "10.0.', /^list is not JSON, or half-written: /],
    ['{"backends":[]}', /^list must be a JSON array of backends, got \{"backends":\[\]\}$/],
    ['["a:1", 5]', /^list\[1\] must be an address or an object with one, got 5$/],
    ['[null]', /^list\[0\] must be an address or an object with one, got null$/],
    ['[["a:1"]]', /^list\[0\] must be an address/],
    ['[{}]', /^list\[0\]\.address must be a text, got undefined$/],
    ['["a:1", "a"]', /^list\[1\]: backend address "a" is not valid: expected 'host:port'/],
    ['[{"address":"a:1","wieght":2}]', /^list\[0\]\.wieght is not known: expected address, weight, priority/],
    ['[{"address":"a:1","__proto__":2}]', /^list\[0\]\.__proto__ is not known/],
    ['[{"address":"a:1","weight":"2"}]', /^list\[0\]: weight of backend a:1 must be an integer .* got 2$/],
    ['[{"address":"a:1","weight":-1}]', /^list\[0\]: weight of backend a:1 must be/],
    ['[{"address":"a:1","priority":16}]', /^list\[0\]: priority of backend a:1 must be/],
    ['[{"address":"a:1","maxConnections":1.5}]', /^list\[0\]: maxConnections of backend a:1 must be/],
    ['[{"address":null}]', /^list\[0\]\.address must be a text, got null$/],
    ['[{"address":"a:1","enabled":"no"}]', /^list\[0\]\.enabled must be true or false, got "no"$/],
  ])('readBackendList refuses %s', (text, message) => {
    expect(() => read('json', text)).toThrow(message);
  });
});

describe('readBackendList of lines', () => {
  it('readBackendList takes an address per line, and settings behind it', () => {
    const text = [
      '# all of them',
      '10.0.0.1:80',
      '',
      '  [::1]:80\tweight=3   priority=1  # spare',
      'unix:/run/a.sock enabled=false maxConnections=7\r',
      'b:1 enabled=true',
      '',
    ].join('\n');
    expect(read('lines', text)).toEqual([
      ['10.0.0.1:80', 1, 0, 0, true],
      ['[::1]:80', 3, 1, 0, true],
      ['unix:/run/a.sock', 1, 0, 7, false],
      ['b:1', 1, 0, 0, true],
    ]);
  });

  it('readBackendList takes an empty text only when that is allowed', () => {
    expect(read('lines', '# nobody\n', true)).toEqual([]);
    expect(read('lines', '', true)).toEqual([]);
    expect(() => read('lines', '# nobody\n')).toThrow('list has no backends');
  });

  it.each([
    ['a:1\nb:80', /^the last line of list does not end in a line break: the file may be half-written$/],
    ['a:1\nb\n', /^list:2: backend address "b" is not valid/],
    ['a:1 weight\n', /^list:1: weight of backend a:1 must be an integer .* got $/],
    ['a:1 weight=x\n', /^list:1: weight of backend a:1 must be an integer .* got x$/],
    ['a:1 2\n', /^list:1\.2 is not known: expected address, weight/],
    ['a:1 weight=1 weight=2\n', /^list:1\.weight is there twice$/],
    ['a:1 address=b:1\n', /^list:1: the address comes first and without a name$/],
    ['a:1 enabled=yes\n', /^list:1\.enabled must be true or false, got "yes"$/],
    ['weight=1 a:1\n', /^list:1/],
  ])('readBackendList refuses %j', (text, message) => {
    expect(() => read('lines', text)).toThrow(message);
  });
});

it('readBackendList reads long lists in steps', () => {
  const text = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`));
  const work = readBackendList({ name: 'list', text, format: 'json', allowEmpty: false });
  let steps = 0;
  while (work.next().done !== true) steps += 1;
  expect(steps).toBe(7);
});
