import { peekTls } from '@cirque/stream';
import { describe, expect, it } from 'vitest';
import { greetings, parseLoadReport } from './l4-load.ts';

const report = (done: number, errors: number): string =>
  JSON.stringify({ done, errors, bytes: 5, durationUs: 1e6, p50Us: 1, p99Us: 2 });

describe('parseLoadReport', () => {
  it('reads what was done', () => {
    const expected = { requests: 7, errors: 0, bytes: 5, durationUs: 1e6, p50Us: 1, p99Us: 2 };
    expect(parseLoadReport(report(7, 0), { duty: 'tcp' })).toEqual(expected);
  });

  it('accepts no failed connection, and one lost datagram in a thousand', () => {
    expect(() => parseLoadReport(report(1_000, 1), { duty: 'sni' })).toThrow('1 failed under load, 1000 did not');
    expect(parseLoadReport(report(1_000, 1), { duty: 'udp' })).toMatchObject({ errors: 1 });
    expect(() => parseLoadReport(report(1_000, 2), { duty: 'udp' })).toThrow('2 failed under load');
    expect(() => parseLoadReport(report(0, 0), { duty: 'udp' })).toThrow('nothing came back');
  });
});

describe('greetings', () => {
  it('are those of TLS, each with its name', async () => {
    const names = (await greetings()).map(({ send, answer }) => {
      const hello = peekTls(Buffer.from(send, 'latin1'));
      return [typeof hello === 'object' ? hello.serverName : hello, answer];
    });
    expect(names).toEqual([
      ['one.test', 'one.test.'],
      ['two.test', 'two.test.'],
    ]);
  });
});
