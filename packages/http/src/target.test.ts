import { describe, expect, test } from 'vitest';
import { parseTarget } from './target.ts';

describe('parseTarget', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/a/b?c=d&e'],
    ['GET', '/a?/b//c'],
    ['GET', '//evil.example/x'],
    ['OPTIONS', '/'],
    ['TRACE', '/%00/../..;a'],
  ])('parseTarget(%j, %j) is the origin form, taken as it is', (method, target) => {
    expect(parseTarget(method, target)).toEqual({ form: 'origin', originForm: target, authority: undefined });
  });

  test('parseTarget has the asterisk for OPTIONS only', () => {
    expect(parseTarget('OPTIONS', '*')).toEqual({ form: 'asterisk', originForm: '*', authority: undefined });
    expect(parseTarget('GET', '*')).toBeUndefined();
    expect(parseTarget('CONNECT', '*')).toBeUndefined();
    expect(parseTarget('options', '*')).toBeUndefined();
    expect(parseTarget('OPTIONS', '**')).toBeUndefined();
  });

  test.each([
    ['GET', 'http://a', '/', 'a'],
    ['GET', 'http://a/', '/', 'a'],
    ['GET', 'HTTP://A.Example:8080/x?y', '/x?y', 'A.Example:8080'],
    ['GET', 'https://a?q', '/?q', 'a'],
    ['GET', 'https://a?/q', '/?/q', 'a'],
    ['GET', 'http://[::1]:80/x', '/x', '[::1]:80'],
    ['GET', 'http://a/http://b/', '/http://b/', 'a'],
    ['GET', 'http://a//b', '//b', 'a'],
    ['OPTIONS', 'http://a', '*', 'a'],
    ['OPTIONS', 'http://a:1', '*', 'a:1'],
    ['OPTIONS', 'http://a/', '/', 'a'],
    ['OPTIONS', 'http://a?q', '/?q', 'a'],
  ])('parseTarget(%j, %j) is the absolute form of %j at %j', (method, target, originForm, authority) => {
    expect(parseTarget(method, target)).toEqual({ form: 'absolute', originForm, authority });
  });

  test.each([
    ['a'],
    ['a/b'],
    ['?a'],
    ['http:'],
    ['http:/a'],
    ['http://'],
    ['http:///a'],
    ['http://:80/'],
    ['http://?a'],
    ['http://user@a/'],
    ['http://user:pass@a/'],
    ['http://a:b/'],
    ['http://a:65536/'],
    ['http://a\\b/'],
    ['http://[::1/'],
    ['http://[zz]/'],
    ['http://a%zz/'],
    ['ftp://a/'],
    ['file:///etc/passwd'],
    ['httpx://a/'],
    ['ws://a/'],
    ['a:80'],
    ['a.example'],
    ['*'],
    [''],
  ])('parseTarget refuses GET %j', (target) => expect(parseTarget('GET', target)).toBeUndefined());

  test.each([['a:443'], ['1.2.3.4:1'], ['[::1]:443'], ['A.example:00443']])(
    'parseTarget accepts CONNECT %j',
    (target) =>
      expect(parseTarget('CONNECT', target)).toEqual({ form: 'authority', originForm: target, authority: target }),
  );

  test.each([
    ['a'],
    ['a:'],
    [':443'],
    ['[::1]'],
    ['::1:443'],
    ['a:443/'],
    ['/'],
    ['http://a:443'],
    ['u@a:443'],
    ['a:b'],
    ['*'],
    [''],
    ['a:65536'],
  ])('parseTarget refuses CONNECT %j', (target) => expect(parseTarget('CONNECT', target)).toBeUndefined());
});
