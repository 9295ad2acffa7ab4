import { describe, expect, it } from 'vitest';
import { describePaired, parseAbOptions } from './ab.ts';
import { resolveSide } from './ab-side.ts';
import { UsageError } from './options.ts';
import { parseProfileOptions } from './profile.ts';
import { REVERSE_PROXY, type RowContext } from './rows.ts';

const CONTEXT: RowContext = {
  client: 'http',
  origin: 'http',
  certificate: { certFile: 'cert.pem', keyFile: 'key.pem', bothFile: 'both.pem' },
  listenPort: 111,
  originPort: 222,
  directory: '/nowhere',
  maxDescriptors: 1000,
};
const side = (text: string) => resolveSide('a', text, { directory: '/nowhere', say: () => {} });

describe('parseAbOptions', () => {
  it('needs both sides, and has defaults for the rest', () => {
    expect(parseAbOptions(['--a', 'HEAD', '--b', '.'])).toMatchObject({
      a: 'HEAD',
      b: '.',
      shape: { name: '1k' },
      rounds: 30,
      sliceMs: 1000,
    });
    expect(() => parseAbOptions(['--a', 'HEAD'])).toThrow('ab needs both --a and --b');
  });

  it('refuses shapes that are not timed', () => {
    expect(() => parseAbOptions(['--a', '.', '--b', '.', '--shape', 'soak'])).toThrow('--shape does not know "soak"');
  });
});

describe('parseProfileOptions', () => {
  it('profiles the reverse proxy unless told otherwise, and only what Node runs', () => {
    expect(parseProfileOptions([])).toMatchObject({ row: { name: 'cirque' }, shape: { name: '1k' } });
    expect(() => parseProfileOptions(['--row', 'nginx'])).toThrow('--row does not know "nginx"');
  });
});

describe('resolveSide', () => {
  it('fills the ports into a command line', () => {
    const row = side('node server.mjs --listen 127.0.0.1:{port}  --to={origin}');
    expect(row.command(CONTEXT)).toEqual({
      file: 'node',
      args: ['server.mjs', '--listen', '127.0.0.1:111', '--to=222'],
    });
  });

  it('refuses a folder without the reverse proxy, and what is no folder, commit or command', () => {
    expect(() => side(import.meta.dirname)).toThrow(REVERSE_PROXY);
    expect(() => side('no-such-thing')).toThrow(UsageError);
    expect(() => side('--output=x')).toThrow('must be a folder, a commit, or a command line');
  });
});

describe('describePaired', () => {
  it('says the change, how sure it is, and the verdict', () => {
    const result = { ratio: 0.955, interval: [0.93, 0.97], pairs: 20, dropped: 2, verdict: 'b is cheaper' } as const;
    expect(describePaired(result)).toBe(
      'b costs -4.5 % CPU per request against a (95 %: -7.0 % to -3.0 %; 20 pairs, 2 dropped): b is cheaper',
    );
    const unsure = { ...result, ratio: 1.02, interval: undefined, verdict: 'no change established' } as const;
    expect(describePaired(unsure)).toContain('+2.0 %');
    expect(describePaired(unsure)).toContain('too few pairs for an interval');
  });
});
