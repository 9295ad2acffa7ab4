import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';
import { ResponseHeader } from './response-header.ts';

describe('ResponseHeader', () => {
  test('ResponseHeader has status, reason, version and fields', () => {
    const header = new ResponseHeader(404);
    expect(header).toMatchObject({ status: 404, reason: 'Not Found', version: '1.1' });
    expect(header.headers.size).toBe(0);
    expect(new ResponseHeader(599).reason).toBe('');
  });

  test.each([99, 600, 0, -1, 200.5, Number.NaN, Number.POSITIVE_INFINITY, '200' as unknown as number])(
    'status %j is refused',
    (status) => {
      const header = new ResponseHeader(200);
      expect(() => new ResponseHeader(status)).toThrowError(CirqueError);
      expect(() => {
        header.status = status;
      }).toThrowError('is not an integer from 100 to 599');
      expect(header.status).toBe(200);
    },
  );

  test.each([100, 599])('status %d is accepted', (status) => {
    expect(new ResponseHeader(status).status).toBe(status);
  });

  test.each([
    [100, true],
    [101, false],
    [103, true],
    [199, true],
    [200, false],
  ])('informational of %d is %s', (status, informational) => {
    expect(new ResponseHeader(status).informational).toBe(informational);
  });

  test('setting the status drops the reason that belonged to the old one', () => {
    const header = ResponseHeader.parsed(200, 'Fine', HeaderMap.empty(), '1.1');
    expect(header.reason).toBe('Fine');
    header.status = 503;
    expect(header.reason).toBe('Service Unavailable');
  });

  test('reason may be empty and any latin1, never a control character', () => {
    const header = new ResponseHeader(200);
    header.reason = '';
    expect(header.reason).toBe('');
    header.reason = 'Ça va';
    for (const reason of ['a\r\nX: y', 'a\0', '\u20ac', 5 as unknown as string]) {
      expect(() => {
        header.reason = reason;
      }).toThrowError(CirqueError);
    }
    expect(header.reason).toBe('Ça va');
  });

  test('fields are reached in the words of Pingora', () => {
    const header = new ResponseHeader(200);
    header.appendHeader('Set-Cookie', 'a=1');
    header.appendHeader('Set-Cookie', 'b=2');
    header.insertHeader('X-A', '1');
    expect(header.getHeader('set-cookie')).toBe('a=1');
    expect(header.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(header.removeHeader('x-a')).toBe(true);
    expect(header.headers.serialize()).toBe('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
  });

  test('clone keeps a received reason and is independent', () => {
    const header = ResponseHeader.parsed(200, 'Fine', HeaderMap.from({ A: '1' }), '1.0');
    const copy = header.clone();
    expect(copy).toMatchObject({ status: 200, reason: 'Fine', version: '1.0' });
    copy.status = 204;
    copy.insertHeader('A', '2');
    header.removeHeader('A');
    expect([header.status, header.reason, header.headers.serialize()]).toEqual([200, 'Fine', '']);
    expect([copy.status, copy.reason, copy.headers.serialize()]).toEqual([204, 'No Content', 'A: 2\r\n']);
  });
});
