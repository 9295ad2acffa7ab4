import { describe, expect, it } from 'vitest';
import { UsageError } from '../options.ts';
import { parseL4Options } from './l4-options.ts';
import { L4_ROWS } from './l4-rows.ts';
import { L4_SHAPES } from './l4-shapes.ts';

describe('parseL4Options', () => {
  it('measures all rows in all shapes unless told otherwise', () => {
    expect(parseL4Options([])).toEqual({
      shapes: L4_SHAPES,
      rows: L4_ROWS,
      rounds: 8,
      sliceMs: 1000,
      warmMs: 2000,
      pauseMs: 0,
      out: undefined,
      readme: false,
    });
    expect(parseL4Options(['--shape', 'all'])).toMatchObject({ shapes: L4_SHAPES });
    expect(parseL4Options(['--help'])).toBe('help');
  });

  it.each([
    [
      ['--only', 'cirque'],
      ['nginx', 'cirque'],
    ],
    [
      ['--without', 'nginx,cirque-run,cirque-run-young', '--without=node-relay'],
      ['nginx', 'nginx-128k', 'haproxy', 'node-pipe', 'cirque'],
    ],
  ])('%j leaves nginx in, which the others are compared with', (argv, names) => {
    const options = parseL4Options(argv);
    expect(options === 'help' ? [] : options.rows.map(({ name }) => name)).toEqual(names);
  });

  it('takes shapes in their own order, and seconds', () => {
    const options = parseL4Options([
      '--shape',
      'udp-dns,tcp-bulk',
      '--pause',
      '2',
      '--duration',
      '3',
      '--rounds',
      '4',
      '--readme',
    ]);
    expect(options).toMatchObject({ pauseMs: 2000, sliceMs: 3000, rounds: 4, readme: true });
    expect(options === 'help' ? [] : options.shapes.map(({ name }) => name)).toEqual(['tcp-bulk', 'udp-dns']);
  });

  it.each([
    [['--shape', '1k'], '--shape does not know "1k"; known are: tcp-bulk,'],
    [['--only', 'apache'], '--only does not know "apache"'],
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 1000, got "0"'],
    [['--speed'], "Unknown option '--speed'"],
  ])('refuses %j', (argv, message) => {
    expect(() => parseL4Options(argv)).toThrow(UsageError);
    expect(() => parseL4Options(argv)).toThrow(message);
  });
});
