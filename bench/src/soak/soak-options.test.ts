import { expect, test } from 'vitest';
import { parseSoakOptions, soakHelp } from './soak-options.ts';

const SCENES = ['idle', 'caps', 'requests'];
const PROXIES = ['cirque', 'nginx'];
const parse = (...argv: string[]) => parseSoakOptions(argv, SCENES, PROXIES);

test('parseSoakOptions: everything by default', () => {
  const defaults = { short: false, seconds: 6, requests: 1_000_000, threads: 1, out: undefined };
  expect(parse()).toEqual({ ...defaults, scenes: SCENES, contestants: PROXIES });
});

test('parseSoakOptions: a short run is smaller, unless it is told otherwise', () => {
  expect(parse('--short')).toMatchObject({ short: true, seconds: 2, requests: 50_000 });
  expect(parse('--short', '--seconds', '3', '--requests', '9000')).toMatchObject({ seconds: 3, requests: 9_000 });
});

test('parseSoakOptions: chosen scenes in the order of the table', () => {
  expect(parse('--rows', 'requests,idle', '--only', 'cirque', '--threads', '2', '--out', 'x.json')).toMatchObject({
    scenes: ['idle', 'requests'],
    contestants: ['cirque'],
    threads: 2,
    out: 'x.json',
  });
});

test.each([
  [['--rows', 'idel'], '--rows does not know "idel"; known are: idle, caps, requests'],
  [['--only', 'apache'], '--only does not know "apache"'],
  [['--seconds', '0'], '--seconds must be a whole number from 1 to 600, got "0"'],
  [['--fast'], "Unknown option '--fast'"],
])('parseSoakOptions: %j is refused', (argv, message) => {
  expect(() => parse(...argv)).toThrow(message);
});

test('soakHelp: names every row', () => {
  expect(parse('--help')).toBe('help');
  expect(soakHelp(SCENES, PROXIES)).toContain('idle, caps, requests');
});
