import { HeaderMap, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { ignoresUpgrade, tunnelHead, upgradeRefused, withDate } from './http2-response.ts';

function head(status: number, fields: Readonly<Record<string, string>> = {}): ResponseHeader {
  return new ResponseHeader(status, HeaderMap.from(fields));
}

const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

describe('withDate', () => {
  test('withDate adds a Date to a copy', () => {
    const header = head(200, { 'x-a': '1' });
    expect(withDate(header).headers.get('date')).toMatch(DATE);
    expect(header.headers.toJSON()).toEqual({ 'x-a': '1' });
  });

  test('withDate leaves a head alone that has one, and informational ones', () => {
    const dated = head(200, { date: 'x' });
    expect(withDate(dated)).toBe(dated);
    const early = head(103, { link: '</a>' });
    expect(withDate(early)).toBe(early);
  });
});

describe('tunnelHead', () => {
  test('tunnelHead makes a 200 of the 101 and drops what HTTP/2 does without', () => {
    const header = head(101, {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Accept': 'x',
      'Sec-WebSocket-Protocol': 'chat',
    });
    const shown = tunnelHead(header);
    expect(shown.status).toBe(200);
    expect(shown.headers.toJSON()).toEqual({ 'sec-websocket-protocol': 'chat', date: expect.stringMatching(DATE) });
    expect(header.status).toBe(101);
    expect(header.headers.has('Upgrade')).toBe(true);
  });

  test('tunnelHead keeps the status of an accepted CONNECT, and no length', () => {
    const shown = tunnelHead(head(201, { 'Content-Length': '5', Date: 'x' }));
    expect(shown.status).toBe(201);
    expect(shown.headers.toJSON()).toEqual({ date: 'x' });
  });
});

describe('ignoresUpgrade', () => {
  test.each([
    ['upgrade', 200, true],
    ['upgrade', 204, true],
    ['upgrade', 299, true],
    ['upgrade', 101, false],
    ['upgrade', 103, false],
    ['upgrade', 300, false],
    ['upgrade', 426, false],
    ['connect', 200, false],
    [undefined, 200, false],
  ] as const)('ignoresUpgrade of %s with status %s is %s', (kind, status, answer) => {
    const tunnel = kind === undefined ? undefined : { kind, protocol: undefined };
    expect(ignoresUpgrade(tunnel, status)).toBe(answer);
  });

  test('upgradeRefused says that the protocol is not to be had', () => {
    expect(upgradeRefused().status).toBe(501);
  });
});
