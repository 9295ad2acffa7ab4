import { describe, expect, it } from 'vitest';
import { parseCompareOptions, UsageError } from './options.ts';
import { DEFAULT_SHAPES, SHAPES } from './shapes.ts';

const ROWS = ['nginx', 'haproxy', 'cirque'];
const parse = (...argv: string[]) => parseCompareOptions(argv, ROWS);

describe('parseCompareOptions', () => {
  it('has defaults for everything', () => {
    expect(parse()).toEqual({
      sliceMs: 1000,
      rounds: 12,
      warmMs: 3000,
      shapes: DEFAULT_SHAPES,
      only: [],
      without: [],
      out: undefined,
    });
  });

  it('takes lists with commas and repeated flags', () => {
    expect(parse('--shape', '1k, 64k', '--shape=1k', '--only', 'cirque', '--without', 'haproxy')).toMatchObject({
      shapes: ['1k', '64k'],
      only: ['cirque'],
      without: ['haproxy'],
    });
    expect(parse('--shape', 'all')).toMatchObject({ shapes: SHAPES.map((shape) => shape.name) });
  });

  it('turns seconds into milliseconds', () => {
    expect(parse('--duration', '3', '--warm', '1', '--rounds', '4')).toMatchObject({
      sliceMs: 3000,
      warmMs: 1000,
      rounds: 4,
    });
  });

  it('answers help', () => {
    expect(parse('--help')).toBe('help');
  });

  it.each([
    [['--shape', '2k'], '--shape does not know "2k"; known are: 1k,'],
    [['--only', 'apache'], '--only does not know "apache"; known are: nginx, haproxy, cirque'],
    [['--without', 'apache'], '--without does not know "apache"'],
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 1000, got "0"'],
    [['--rounds', '2.5'], '--rounds must be a whole number'],
    [['--duration', 'long'], '--duration must be a whole number from 1 to 60, got "long"'],
    [['--duration', ''], '--duration must be a whole number'],
    [['--speed'], "Unknown option '--speed'"],
    [['soon'], "Unexpected argument 'soon'"],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(UsageError);
    expect(() => parse(...argv)).toThrow(message);
  });
});
