// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
/** Values that have rules of their own: addresses, names, statuses, templates. */
import { describe, expect, test } from 'vitest';
import { controlAddress, listenAddress, nameserver, network, serverAddress } from './address-values.ts';
import { nearest } from './basic-values.ts';
import { headerTemplate, location, path, statusRanges, url } from './http-values.ts';
import { cookieName, editableHeaderName, hostPattern, methodName, plainName } from './name-values.ts';
import { largestGroup } from './template.ts';

describe('controlAddress', () => {
  test.each([
    ['127.0.0.1:9901', '127.0.0.1:9901'],
    ['127.1.2.3:9901', '127.1.2.3:9901'],
    ['[::1]:9901', '[::1]:9901'],
    ['LocalHost:9901', 'localhost:9901'],
    ['unix:/run/c.sock', 'unix:/run/c.sock'],
  ])('controlAddress of %j is %s', (given, address) => {
    expect(controlAddress.parse(given)).toBe(address);
  });

  test.each([
    '0.0.0.0:1',
    '[::]:1',
    ':1',
    '10.0.0.1:1',
    'a.example:1',
    '127.0.0.1.a.example:1',
    'localhost.a.example:1',
    9901,
  ])('controlAddress refuses %j', (given) => {
    expect(controlAddress.safeParse(given).success).toBe(false);
  });
});

describe('listenAddress', () => {
  test.each([
    [':80', '[::]:80'],
    [8080, '[::]:8080'],
    ['0.0.0.0:80', '0.0.0.0:80'],
    ['[::1]:80', '[::1]:80'],
    ['LOCALHOST:80', 'localhost:80'],
    ['unix:/run/x.sock', 'unix:/run/x.sock'],
    ['unix:x.sock', 'unix:x.sock'],
  ])('listenAddress of %j is %s', (given, address) => {
    expect(listenAddress.parse(given)).toBe(address);
  });

  test.each([
    '',
    ':',
    ':0',
    '0.0.0.0',
    'a b:80',
    '[::1]',
    '::1',
    'unix:',
    `unix:/${'x'.repeat(107)}`,
    'unix:a\0b',
    1.5,
    -1,
  ])('listenAddress refuses %j', (given) => {
    expect(listenAddress.safeParse(given).success).toBe(false);
  });
});

test.each([':80', 80, '*:80', 'a'])('serverAddress refuses %j: a server is somewhere', (given) => {
  expect(serverAddress.safeParse(given).success).toBe(false);
});

test.each([
  [
    network,
    ['10.0.0.0/8', '10.0.0.1', 'fd00::/8', '::1', '0.0.0.0/0'],
    ['10.0.0.0/33', 'a', '10.0.0.0/', 'fe80::1%eth0', '1/8'],
  ],
  [
    nameserver,
    ['10.0.0.2', '10.0.0.2:5353', '[fd00::2]:53', 'fd00::2'],
    ['a.example', '10.0.0.2:0', '10.0.0.2:99999', '[10.0.0.2]:53'],
  ],
  [
    hostPattern,
    ['a', 'A.Example.', '*.example', 'x_y.example', '::1', '1.2.3.4'],
    ['', '*', 'a.*', '*.', 'a..b', '.a', 'a:80', 'a/b', 'ü'],
  ],
  [plainName, ['app', '1', 'a.b-c_d', 'constructor'], ['', '__proto__', '-a', 'a b', '.a']],
  [cookieName, ['session', '__Host-x'], ['', 'a=b', 'a;b', 'a b', 'ä']],
  [
    editableHeaderName,
    ['X-A', 'Host', 'accept-encoding'],
    ['', 'X:', 'X A', 'Connection', 'transfer-encoding', 'CONTENT-LENGTH'],
  ],
  [methodName, ['GET', 'PROPFIND', 'M-SEARCH'], ['', 'get', 'G T']],
  [path, ['/', '/a/b', '/%20', '/ä'], ['', 'a', '/a?b', '/a#b', '/a b', '/a\n']],
  [url, ['http://a/', 'https://a.example:8443/x?y'], ['', 'a', 'ftp://a', 'http://', '//a']],
  [
    location,
    ['/', 'https://${host}${path}${query}', '/$1', '${scheme}://a'],
    ['', 'a', '/a b', '/${hots}', '/a\r\nX: y'],
  ],
  [headerTemplate, ['', 'a b', '${client_ip}', '$${anything}', '$1 ${'], ['a\nb', '\0', '${user}']],
])('schema %# takes what is right and refuses what is not', (schema, right, wrong) => {
  for (const given of right) expect(schema.safeParse(given).success, given).toBe(true);
  for (const given of wrong) expect(schema.safeParse(given).success, given).toBe(false);
});

test('hostPattern gives lower case without the closing dot', () => {
  expect(['A.Example.', '*.B.Example', 'FD00::1'].map((given) => hostPattern.parse(given))).toEqual([
    'a.example',
    '*.b.example',
    'fd00::1',
  ]);
});

test.each<[string | number, number[][]]>([
  [200, [[200, 200]]],
  ['200-299', [[200, 299]]],
  [
    '200, 204,300-399',
    [
      [200, 200],
      [204, 204],
      [300, 399],
    ],
  ],
])('statusRanges of %j', (given, ranges) => {
  expect(statusRanges.parse(given)).toEqual(ranges);
});

test.each(['', '2xx', '299-200', '99', '600', 600, '200-', '200 204'])('statusRanges refuses %j', (given) => {
  expect(statusRanges.safeParse(given).success).toBe(false);
});

test.each([
  ['/$1/$2', 2],
  ['/$$1', 0],
  ['/$12', 12],
  ['/$0 $x', 0],
])('largestGroup of %j is %i', (text, largest) => {
  expect(largestGroup(text)).toBe(largest);
});

describe('nearest', () => {
  const words = ['least_connections', 'random', 'read_timeout'];

  test.each([
    ['leastConnections', 'did you mean least_connections?'],
    ['least-connections', 'did you mean least_connections?'],
    ['radnom', 'did you mean random?'],
    ['least_conn', 'did you mean least_connections?'],
    ['nothing_like_it', undefined],
  ])('nearest to %s: %s', (given, hint) => {
    expect(nearest(given, words, { least_conn: 'least_connections' })).toBe(hint);
  });
});
