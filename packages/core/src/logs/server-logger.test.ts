import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogLevel } from '../server/server-conf.ts';
import { createLogger } from './server-logger.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-logger-'));
  path = join(folder, 'a.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The lines of a file without what differs from run to run. */
function lines(name = 'a.log'): unknown[] {
  const text = readFileSync(join(folder, name), 'utf8');
  const parse = (line: string): unknown => {
    const { time: _time, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line) as Record<string, unknown>;
    return rest;
  };
  return text.split('\n').slice(0, -1).map(parse);
}

describe('createLogger', () => {
  test('createLogger writes facts and sentences as JSON lines, at once', () => {
    const logger = createLogger('debug', { file: path });
    logger.debug('a %s');
    logger.info({ port: 80 }, 'b');
    logger.warn({ c: 1 });
    logger
      .child?.({ service: 's' })
      .child?.({ worker: 2 })
      .error({ err: new Error('no') }, 'd');
    expect(lines()).toEqual([
      { level: 20, msg: 'a %s' },
      { level: 30, port: 80, msg: 'b' },
      { level: 40, c: 1 },
      { level: 50, service: 's', worker: 2, err: expect.objectContaining({ message: 'no' }), msg: 'd' },
    ]);
    logger.writeTo(undefined);
  });

  test.each([
    ['trace', 4],
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['fatal', 0],
    ['silent', 0],
  ] as const)('createLogger at level %s writes %i of the four severities', (level: LogLevel, count) => {
    const logger = createLogger(level, { file: path });
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    expect(logger.level).toBe(level);
    expect(lines()).toHaveLength(count);
    logger.writeTo(undefined);
  });

  test('createLogger: children that were made before follow the level', () => {
    const logger = createLogger('info', { file: path });
    const child = logger.child?.({ service: 's' }).child?.({});
    child?.debug('hidden');
    logger.level = 'debug';
    child?.debug('shown');
    logger.level = 'silent';
    child?.error('hidden');
    expect(lines()).toMatchObject([{ msg: 'shown' }]);
    expect(() => {
      logger.level = 'loud';
    }).toThrow('unknown log level "loud"');
    expect(logger.level).toBe('silent');
    logger.writeTo(undefined);
  });

  test('createLogger: children that were made before follow to another file', () => {
    const logger = createLogger('info', { file: path });
    const child = logger.child?.({ service: 's' });
    child?.info('1');
    logger.writeTo(join(folder, 'b.log'));
    child?.info('2');
    expect([lines(), lines('b.log')]).toMatchObject([[{ msg: '1' }], [{ msg: '2' }]]);
    expect(() => logger.writeTo(join(folder, 'none', 'c.log'))).toThrow('ENOENT');
    child?.info('3');
    expect(lines('b.log')).toMatchObject([{ msg: '2' }, { msg: '3' }]);
    logger.writeTo(undefined);
  });

  test('createLogger reopen: a renamed file is left behind', () => {
    const logger = createLogger('info', { file: path });
    const child = logger.child?.({});
    child?.info('1');
    renameSync(path, join(folder, 'a.log.1'));
    child?.info('2');
    logger.reopen();
    child?.info('3');
    expect([lines('a.log.1'), lines()]).toMatchObject([[{ msg: '1' }, { msg: '2' }], [{ msg: '3' }]]);
    logger.writeTo(undefined);
  });

  test('createLogger reopen goes on with the old file where there can be no new one', () => {
    const logger = createLogger('info', { file: path });
    renameSync(path, join(folder, 'a.log.1'));
    mkdirSync(path);
    logger.reopen();
    logger.info('1');
    expect(lines('a.log.1')).toMatchObject([{ msg: '1' }]);
    logger.writeTo(undefined);
  });

  test('createLogger reopen does nothing on standard error', () => {
    createLogger('silent').reopen();
  });
});
