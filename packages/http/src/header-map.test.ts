import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';

/** As a parser leaves it: odd spacing, a hop-by-hop line first and last, a length. */
function received(): HeaderMap {
  const block = 'Connection: close\r\nHost:a\r\nX-Empty:\r\nContent-Length: \t5 \r\nx-a: 1\r\nX-A:  2\t\r\nTE:\r\n';
  return HeaderMap.fromBlock(block, [0, 19, block.length - 5, block.length], 5);
}

describe('HeaderMap', () => {
  test('HeaderMap.fromBlock reads values without the white space around them', () => {
    const map = received();
    expect(map.get('host')).toBe('a');
    expect(map.get('X-EMPTY')).toBe('');
    expect(map.get('content-length')).toBe('5');
    expect(map.getAll('x-A')).toEqual(['1', '2']);
    expect(map.get('x')).toBeUndefined();
    expect(map.get('')).toBeUndefined();
    expect(map.size).toBe(7);
  });

  test('serialize gives back what was received, byte by byte, as long as nothing was edited', () => {
    const map = received();
    const text = map.serialize();
    expect(text).toContain('Content-Length: \t5 \r\nx-a: 1\r\nX-A:  2\t\r\n');
    map.get('x-a');
    expect(map.serialize()).toBe(text);
  });

  test('serialize rewrites the edited lines only', () => {
    const map = received();
    map.set('x-A', '3');
    map.delete('Connection');
    map.append('X-New', 'n');
    expect(map.serialize()).toBe('Host:a\r\nX-Empty:\r\nContent-Length: \t5 \r\nx-a: 3\r\nTE:\r\nX-New: n\r\n');
  });

  test('set replaces all fields of the name at the place and in the spelling of the first', () => {
    const map = HeaderMap.from([
      ['A', '1'],
      ['B', '2'],
      ['a', '3'],
    ]);
    map.set('a', 'x');
    expect([...map]).toEqual([
      ['A', 'x'],
      ['B', '2'],
    ]);
    map.set('C', '');
    expect(map.serialize()).toBe('A: x\r\nB: 2\r\nC: \r\n');
  });

  test('set to the empty value is a field, not a removal', () => {
    const map = received();
    map.set('Host', '');
    expect(map.get('host')).toBe('');
    expect(map.has('host')).toBe(true);
    expect(map.serialize()).toContain('Host: \r\n');
  });

  test('set, append and from refuse what would break a head, and leave the map as it was', () => {
    const map = received();
    const text = map.serialize();
    expect(() => map.set('Host', 'a\r\nX: y')).toThrowError(CirqueError);
    expect(() => map.append('X\r\nY', 'z')).toThrowError(CirqueError);
    expect(() => map.set('Host', undefined as unknown as string)).toThrowError('value of Host is of type undefined');
    expect(() => map.append('Host', false as unknown as string)).toThrowError('value of Host is of type boolean');
    expect(map.serialize()).toBe(text);
    expect(() => HeaderMap.from({ 'X Y': '1' })).toThrowError('field name "X Y" is not a token');
    expect(() => HeaderMap.from({ 'X-Y': 5 as unknown as string })).toThrowError('value of X-Y is of type number');
    expect(() => HeaderMap.from({ 'X-Y': undefined as unknown as string })).toThrowError('of type undefined');
    expect(() => HeaderMap.from({ 'X-Y': ['a', '\n'] })).toThrowError('value of X-Y "\\n" holds');
  });

  test('from takes pairs, another map and objects with several values of a name', () => {
    expect(HeaderMap.from(received()).get('x-a')).toBe('1');
    expect(HeaderMap.from(new Map([['A', '1']])).serialize()).toBe('A: 1\r\n');
    expect(HeaderMap.from({ 'Set-Cookie': ['a=1', 'b=2'], B: '', C: [] }).serialize()).toBe(
      'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nB: \r\n',
    );
  });

  test('has finds names in any case, before and after the fields were indexed', () => {
    for (const prepare of [() => {}, (map: HeaderMap) => void map.get('none'), (map: HeaderMap) => map.set('Z', '1')]) {
      const map = received();
      prepare(map);
      for (const name of ['Host', 'host', 'Connection', 'TE', 'te', 'X-A']) expect(map.has(name)).toBe(true);
      // Parts of names, values and names that were removed are no fields.
      for (const name of ['ost', 'Hos', 'A', 'close', 'Content', '', 'a']) expect(map.has(name)).toBe(false);
      map.delete('Host');
      expect(map.has('Host')).toBe(false);
    }
  });

  test('peek finds what get finds, but for fields whose names are spelt in several ways', () => {
    const block =
      'X-Host: x\r\nHost: \t a.example \r\nA: Referer: no\r\nreferer: first\r\nReferer: second\r\nEmpty: \r\n';
    const map = (): HeaderMap => HeaderMap.fromBlock(block, [], -1);
    for (const name of ['X-Host', 'Host', 'host', 'A', 'Empty', 'Refer', 'x', 'no', ''])
      expect(map().peek(name)).toBe(map().get(name));
    expect(map().peek('referer')).toBe('first');
    const asked = HeaderMap.fromBlock('user-agent: first\r\nUser-Agent: second\r\n', [], -1);
    expect(asked.peek('User-Agent')).toBe('second');
    expect(asked.get('User-Agent')).toBe('first');
    expect(asked.peek('User-Agent')).toBe('first');
  });

  test('peek sees changes', () => {
    const map = HeaderMap.fromBlock('Host: a\r\nReferer: b\r\n', [], -1);
    map.append('User-Agent', 'c');
    expect(map.peek('User-Agent')).toBe('c');
    map.set('Host', 'd');
    map.delete('Referer');
    expect([map.peek('Host'), map.peek('Referer')]).toEqual(['d', undefined]);
  });

  test('delete tells whether there was one', () => {
    const map = received();
    map.append('x-a', '3');
    expect(map.delete('X-A')).toBe(true);
    expect(map.delete('X-A')).toBe(false);
    expect(map.getAll('x-a')).toEqual([]);
  });

  test('stripHopByHop cuts the lines that the parser marked', () => {
    const map = received();
    expect(map.mayHoldHopByHop).toBe(true);
    map.stripHopByHop(undefined);
    expect(map.serialize()).toBe('Host:a\r\nX-Empty:\r\nContent-Length: \t5 \r\nx-a: 1\r\nX-A:  2\t\r\n');
    expect(map.mayHoldHopByHop).toBe(false);
    expect(map.get('x-a')).toBe('1');
    expect(map.contentLength).toBe(5);
  });

  test.each<[string, (map: HeaderMap) => void]>([
    ['read', (map) => void map.get('host')],
    ['edited', (map) => map.set('Host', 'a')],
    ['extended', (map) => map.append('Upgrade', 'h2c')],
    ['both', (map) => [map.set('Connection', 'x'), map.append('keep-alive', '1')]],
  ])('stripHopByHop finds them also when the map was %s', (_, prepare) => {
    const map = received();
    prepare(map);
    map.stripHopByHop(['x-a']);
    expect([...map].map(([name]) => name)).toEqual(['Host', 'X-Empty', 'Content-Length']);
    map.stripHopByHop(undefined);
    expect(map.size).toBe(3);
  });

  test('contentLength is -1 without the field and NaN when it must not be sent', () => {
    const map = HeaderMap.empty();
    expect(map.contentLength).toBe(-1);
    map.set('Content-Length', '12');
    expect(map.contentLength).toBe(12);
    map.append('content-length', '12');
    expect(map.contentLength).toBeNaN();
    map.set('Content-Length', '+1');
    expect(map.contentLength).toBeNaN();
    map.delete('CONTENT-LENGTH');
    expect(map.contentLength).toBe(-1);
    expect(received().contentLength).toBe(5);
  });

  test('toJSON keeps names that mean something to objects as names', () => {
    const map = HeaderMap.from([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['__PROTO__', 'c'],
    ]);
    expect(JSON.stringify(map)).toBe('{"__proto__":["a","c"],"constructor":"b"}');
    expect(Object.getPrototypeOf(map.toJSON())).toBeNull();
    expect(HeaderMap.empty().get('__proto__')).toBeUndefined();
  });

  test('clone shares nothing that can change', () => {
    const map = received();
    map.set('Host', 'b');
    map.append('Z', '1');
    const copy = map.clone();
    copy.set('Host', 'c');
    copy.delete('Z');
    copy.set('Content-Length', '6');
    copy.stripHopByHop(undefined);
    expect(map.get('host')).toBe('b');
    expect(map.get('z')).toBe('1');
    expect(map.contentLength).toBe(5);
    expect(map.has('te')).toBe(true);
    map.delete('x-a');
    expect(copy.getAll('x-a')).toEqual(['1', '2']);
    expect(copy.contentLength).toBe(6);
  });

  test('a name and a value that look like field lines are found where they are', () => {
    const map = HeaderMap.fromBlock('A: B: c\r\nB: d:e\r\nX-B:\r\n', [], -1);
    expect([...map]).toEqual([
      ['A', 'B: c'],
      ['B', 'd:e'],
      ['X-B', ''],
    ]);
    expect(map.get('b')).toBe('d:e');
  });
});
