import { describe, expect, expectTypeOf, test } from 'vitest';
import { type CliIo, type CliOptionTable, parseArgs } from './cli-options.ts';

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

class FakeIo implements CliIo {
  out = '';
  err = '';
  readonly stdout = {
    write: (text: string): void => {
      this.out += text;
    },
  };
  readonly stderr = {
    write: (text: string): void => {
      this.err += text;
    },
  };
  exit(code: number): never {
    throw new Exit(code);
  }
}

function run(argv: readonly string[], options: CliOptionTable = {}): { io: FakeIo; code: number } {
  const io = new FakeIo();
  try {
    parseArgs({ argv, options, io, name: 'prog', version: '9.9.9', description: 'Does things.' });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { io, code: error.code };
  }
  throw new Error('parseArgs did not exit');
}

const OWN = {
  listen: {
    type: 'string',
    short: 'l',
    multiple: true,
    default: ['127.0.0.1:0'],
    valueName: 'ADDRESS',
    help: 'where to listen',
  },
  upstream: { type: 'string', multiple: true },
  verbose: { type: 'boolean', short: 'v', default: false },
  host: { type: 'string' },
} as const satisfies CliOptionTable;

describe('parseArgs', () => {
  test('parseArgs of no words gives the defaults', () => {
    expect(parseArgs([])).toMatchObject({
      conf: undefined,
      daemon: false,
      upgrade: false,
      test: false,
      help: false,
      version: false,
      values: {},
    });
  });

  test.each([
    [['-c', 'a.yaml', '-t']],
    [['--conf', 'a.yaml', '--test']],
    [['--conf=a.yaml', '-t']],
    [['-tc', 'a.yaml']],
    [['-ca.yaml', '--test']],
    [['-t', '--', '-c', 'ignored'].slice(0, 1).concat('--conf=a.yaml', '--')],
  ])('parseArgs reads %j', (argv) => {
    expect(parseArgs(argv)).toMatchObject({ conf: 'a.yaml', test: true });
  });

  test.each([
    [['-d', '-u'], true, true],
    [['-du'], true, true],
    [['-udc', 'a.yaml'], true, true],
    [['--daemon'], true, false],
    [['--upgrade'], false, true],
    [[], false, false],
  ])('parseArgs reads daemon and upgrade of %j', (argv, daemon, upgrade) => {
    expect(parseArgs(argv)).toMatchObject({ daemon, upgrade, test: false });
  });

  test('parseArgs gives the program its own options', () => {
    const argv = ['--listen', 'a', '-l', 'b', '--upstream=c', '-v', '-c', 'x.yaml'];
    const { values, conf } = parseArgs({ argv, options: OWN });
    expect(values).toEqual({ listen: ['a', 'b'], upstream: ['c'], verbose: true, host: undefined });
    expect(conf).toBe('x.yaml');
    expectTypeOf(values.listen).toEqualTypeOf<string[]>();
    expectTypeOf(values.upstream).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(values.verbose).toEqualTypeOf<boolean>();
    expectTypeOf(values.host).toEqualTypeOf<string | undefined>();
  });

  test('parseArgs fills in the defaults of own options, as copies', () => {
    const { values } = parseArgs({ argv: [], options: OWN });
    expect(values).toEqual({ listen: ['127.0.0.1:0'], upstream: undefined, verbose: false, host: undefined });
    values.listen.push('x');
    expect(parseArgs({ argv: [], options: OWN }).values.listen).toEqual(['127.0.0.1:0']);
  });

  test('parseArgs accepts an inline value that looks like an option', () => {
    expect(parseArgs({ argv: ['--host=-x'], options: OWN }).values.host).toBe('-x');
  });

  test.each([
    [['--tset'], 'unknown option --tset; did you mean --test?'],
    [['--lisen', 'x'], 'unknown option --lisen; did you mean --listen?'],
    [['--nonsense'], 'unknown option --nonsense\n'],
    [['--__proto__'], 'unknown option --__proto__\n'],
    [['-x'], 'unknown option -x\n'],
    [['-tx'], 'unknown option -x\n'],
    [['--daemon=yes'], 'option --daemon takes no value, got "yes"'],
    [['-d', '--daemon'], 'option --daemon is given twice'],
    [['--upgarde'], 'unknown option --upgarde; did you mean --upgrade?'],
    [['stray'], 'unexpected argument "stray"'],
    [['--', 'stray'], 'unexpected argument "stray"'],
    [['-c'], 'option -c needs a value: --conf=PATH'],
    [['--conf='], 'option --conf needs a value: --conf=PATH'],
    [
      ['--conf', '--test'],
      'option --conf needs a value, but "--test" looks like an option; write --conf=--test if it is meant',
    ],
    [['--test=yes'], 'option --test takes no value, got "yes"'],
    [['-c', 'a', '--conf', 'b'], 'option --conf is given twice; it takes one value'],
    [['--no-test'], 'unknown option --no-test'],
  ])('parseArgs refuses %j with code 2', (argv, message) => {
    const { io, code } = run(argv, OWN);
    expect(code).toBe(2);
    expect(io.err).toContain(message);
    expect(io.err).toContain('Try --help for the list of options.\n');
    expect(io.out).toBe('');
  });

  test('parseArgs prints help and ends with 0', () => {
    const { io, code } = run(['-h'], OWN);
    expect(code).toBe(0);
    expect(io.err).toBe('');
    expect(io.out).toBe(`Usage: prog [options]

Does things.

Options:
  -l, --listen ADDRESS  where to listen (may be repeated) (default 127.0.0.1:0)
      --upstream VALUE  (may be repeated)
  -v, --verbose
      --host VALUE

Server options:
  -c, --conf PATH  YAML configuration file
  -d, --daemon     run in the background
  -u, --upgrade    take the listening sockets over from the server that runs
  -t, --test       check configuration, certificates, paths and addresses, then exit
  -h, --help       print this text and exit
      --version    print the versions and exit
`);
  });

  test('parseArgs prints the versions and ends with 0', () => {
    const { io, code } = run(['--version']);
    expect(code).toBe(0);
    expect(io.out).toMatch(/^prog 9\.9\.9\ncirque \d+\.\d+\.\d+\S* \(Node\.js v\d+/);
  });

  test('parseArgs reports a mistake rather than help', () => {
    expect(run(['--help', '--nonsense']).code).toBe(2);
  });

  test.each([
    [{ conf: { type: 'string' } }, 'option --conf belongs to the server'],
    [{ cluster: { type: 'string', short: 'c' } }, '-c of option --cluster is taken'],
    [{ duplicate: { type: 'boolean', short: 'd' } }, '-d of option --duplicate is taken'],
    [{ upgrade: { type: 'boolean' } }, 'option --upgrade belongs to the server'],
    [{ a: { type: 'string', short: 'x' }, b: { type: 'string', short: 'x' } }, '-x of option --b is taken'],
    [{ a: { type: 'string', short: 'xy' } }, 'short of option --a must be one letter, got "xy"'],
  ] as const)('parseArgs refuses the declaration %j', (options, message) => {
    expect(() => parseArgs({ argv: [], options: options as CliOptionTable })).toThrow(message);
  });
});
