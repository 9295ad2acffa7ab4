import { HeaderMap, RequestHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { http2Request } from './http2-request.ts';

function head(method: string, target: string, fields: Readonly<Record<string, string>> = {}): RequestHeader {
  return new RequestHeader(method, target, HeaderMap.from({ host: 'a', ...fields }), '2');
}

describe('http2Request', () => {
  test('http2Request leaves an ordinary head as it is', () => {
    const header = head('GET', '/path?query');
    expect(http2Request(header, undefined, true)).toEqual({
      header,
      bodyLength: 0,
      connectionOptions: expect.objectContaining({ close: false, upgrade: false, nominated: undefined }),
      target: undefined,
      tunnel: undefined,
    });
    expect(http2Request(header, undefined, true)?.header).toBe(header);
  });

  test.each([
    [{}, true, 0],
    [{}, false, undefined],
    [{ 'content-length': '7' }, false, 7],
    [{ 'content-length': '0' }, false, 0],
    [{ 'content-length': '0' }, true, 0],
  ])('http2Request knows the length of a body from %j, ended %s: %s', (fields, ended, length) => {
    expect(http2Request(head('POST', '/', fields), undefined, ended)?.bodyLength).toBe(length);
  });

  test('http2Request recognises the targets that are no path', () => {
    expect(http2Request(head('OPTIONS', '*'), undefined, true)?.target?.form).toBe('asterisk');
    expect(http2Request(head('CONNECT', 'a.test:443'), undefined, false)).toMatchObject({
      bodyLength: 0,
      target: { form: 'authority', authority: 'a.test:443' },
      tunnel: { kind: 'connect', protocol: undefined },
    });
  });

  test('http2Request shows an extended CONNECT as the upgrade that it stands for', () => {
    const header = head('CONNECT', '/chat?room=1', { 'sec-websocket-version': '13', origin: 'https://a' });
    const request = http2Request(header, 'websocket', false);
    expect(request).toMatchObject({
      bodyLength: 0,
      connectionOptions: { upgrade: true, nominated: undefined },
      target: undefined,
      tunnel: { kind: 'upgrade', protocol: 'websocket' },
    });
    const shown = request?.header as RequestHeader;
    expect([shown.method, shown.target, shown.version]).toEqual(['GET', '/chat?room=1', '2']);
    expect(shown.headers.toJSON()).toEqual({
      host: 'a',
      'sec-websocket-version': '13',
      origin: 'https://a',
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
    });
  });

  test('http2Request makes a new key for each WebSocket, whatever the client says', () => {
    const keys = [1, 2].map(() =>
      http2Request(head('CONNECT', '/', { 'sec-websocket-key': 'mine' }), 'websocket', false)?.header.headers.getAll(
        'Sec-WebSocket-Key',
      ),
    );
    expect(keys[0]).toHaveLength(1);
    expect(keys[0]).not.toEqual(['mine']);
    expect(keys[0]).not.toEqual(keys[1]);
  });

  test('http2Request needs no key for other protocols', () => {
    const request = http2Request(head('CONNECT', '/'), 'connect-udp', false);
    expect(request?.header.headers.toJSON()).toEqual({ host: 'a', connection: 'Upgrade', upgrade: 'connect-udp' });
  });

  test.each(['h2', 'h2c', 'H2C'])('http2Request makes no tunnel for %s', (protocol) => {
    expect(http2Request(head('CONNECT', '/'), protocol, false)).toBeUndefined();
  });
});
