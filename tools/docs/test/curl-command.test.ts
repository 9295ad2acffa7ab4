import { describe, expect, test } from 'vitest';
import { parseCurl } from '../src/curl-command.ts';
import { root } from '../src/markdown.ts';
import { shellWords } from '../src/transcript.ts';

const parse = (text: string): ReturnType<typeof parseCurl> => parseCurl(shellWords(text), root);

describe('parseCurl', () => {
  test('parseCurl takes a plain request', () => {
    expect(parse('http://127.0.0.1:80/a?b=c')).toEqual({
      secure: false,
      hostname: '127.0.0.1',
      port: '80',
      path: '/a?b=c',
      address: '127.0.0.1',
      method: 'GET',
      fields: [],
      data: undefined,
      http2: false,
      head: false,
      silent: false,
      compressed: false,
      tls: { ca: undefined, cert: undefined, key: undefined },
    });
  });

  test('parseCurl takes methods, fields and bodies', () => {
    const { method, fields, data } = parse("-X PUT -H 'A: b: c' -H 'D: e' -d 'f=g' http://h:1/");
    expect({ method, fields, data }).toEqual({
      method: 'PUT',
      fields: [
        ['A', 'b: c'],
        ['D', 'e'],
      ],
      data: 'f=g',
    });
    expect([parse('-d x http://h:1/').method, parse('-I http://h:1/').method]).toEqual(['POST', 'HEAD']);
  });

  test('parseCurl knows when HTTP/2 is spoken', () => {
    const versions = ['http://h:1/', '--http2-prior-knowledge http://h:1/', 'https://h:1/', '--http1.1 https://h:1/'];
    expect(versions.map((text) => parse(text).http2)).toEqual([false, true, true, false]);
  });

  test('parseCurl connects to where the name is resolved to, and reads files from the folder', () => {
    const command = parse('--resolve a.example:1:127.0.0.1 --cacert LICENSE https://a.example:1/');
    expect(command.address).toBe('127.0.0.1');
    expect(command.tls.ca).toContain('Apache License');
    expect(parse('--resolve b.example:1:127.0.0.1 https://a.example:1/').address).toBe('a.example');
  });

  test('parseCurl refuses what it does not know, and what curl would change', () => {
    expect(() => parse('-k https://h:1/')).toThrow('this part of curl is not known here: -k');
    expect(() => parse('http://h:1/ http://h:1/')).toThrow('not known here: url twice');
    expect(() => parse('http://h/')).toThrow('expected http://host:port/path, got http://h/');
    expect(() => parse('http://h:1/a/../b')).toThrow('add --path-as-is');
    expect(parse('--path-as-is http://h:1/a/../b').path).toBe('/a/../b');
  });
});
