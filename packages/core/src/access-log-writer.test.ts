import { describe, expect, test, vi } from 'vitest';
import type { AccessLogFacts } from './access-log.ts';
import { openAccessLog } from './access-log-writer.ts';
import { silentLogger } from './logger.ts';

const FACTS: AccessLogFacts = {
  clientAddress: '192.0.2.1',
  method: 'GET',
  target: '/',
  version: '1.1',
  status: 200,
  requestBytes: 0,
  responseBytes: 12,
  durationMs: 1,
};

function targets() {
  const [info, write] = [vi.fn(), vi.fn()];
  const open = vi.fn(() => ({ write }));
  return { info, write, open, given: { logger: { ...silentLogger, info }, logs: { open } } };
}

describe('openAccessLog', () => {
  test('is none for false, and opens nothing', () => {
    const { given, open } = targets();
    expect(openAccessLog(false, 'json', given)).toBeUndefined();
    expect(open).not.toHaveBeenCalled();
  });

  test('writes records to the logger for true', () => {
    const { given, info, open } = targets();
    openAccessLog(true, 'combined', given)?.(FACTS);
    expect(info).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ client: '192.0.2.1', status: 200 }),
      'access',
    );
    expect(open).not.toHaveBeenCalled();
  });

  test.each([
    ['json', /^\{"time":\d+,"client":"192\.0\.2\.1",.*\}\n$/],
    ['combined', /^192\.0\.2\.1 - - \[.*\] "GET \/ HTTP\/1\.1" 200 12 "-" "-"\n$/],
  ] as const)('writes lines to a file for a path: %s', (format, line) => {
    const { given, info, open, write } = targets();
    openAccessLog('/var/log/access.log', format, given)?.(FACTS);
    expect(open).toHaveBeenCalledExactlyOnceWith('/var/log/access.log');
    expect(write).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(line));
    expect(info).not.toHaveBeenCalled();
  });

  test('says which file cannot be opened', () => {
    const { given, open } = targets();
    open.mockImplementation(() => {
      throw new Error('EACCES: permission denied');
    });
    expect(() => openAccessLog('/root/a.log', 'json', given)).toThrow(
      new TypeError('accessLog /root/a.log cannot be opened: EACCES: permission denied'),
    );
  });
});
