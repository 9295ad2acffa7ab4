import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkCommand } from '../src/commands/check.ts';
import type { CommandIo } from '../src/commands/command-io.ts';
import { initCommand } from '../src/commands/init.ts';
import { schemaCommand } from '../src/commands/schema.ts';
import { gatewayConfigFromText } from '../src/index.ts';
import { LEAST } from './issue-examples.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-commands-'));
  file = join(folder, 'cirque.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

type Command = (argv: readonly string[], io: CommandIo) => Promise<number>;

async function run(command: Command, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  const code = await command(argv, io);
  return { code, out, err };
}

describe('checkCommand', () => {
  test('checkCommand says what a good file has', async () => {
    writeFileSync(file, LEAST);
    const answer = { code: 0, out: 'ok: 1 listener, 1 upstream\n', err: '' };
    expect(await run(checkCommand, file)).toEqual(answer);
    expect(await run(checkCommand, '-c', file)).toEqual(answer);
    expect(await run(checkCommand, '--quiet', file)).toEqual({ ...answer, out: '' });
  });

  test('checkCommand prints every problem and answers 1', async () => {
    writeFileSync(file, 'listeners:\n  - address: nowhere\ntreads: 1\n');
    const { code, out, err } = await run(checkCommand, file);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/cirque\.yaml:2:5: listeners\[0\] needs something to do/),
      expect.stringMatching(/cirque\.yaml:2:14: listeners\[0\]\.address must be/),
      expect.stringMatching(/cirque\.yaml:3:1: treads is no setting/),
    ]);
  });

  test('checkCommand prints warnings and answers 0', async () => {
    writeFileSync(file, `${LEAST}  spare: [127.0.0.1:1]\n`);
    expect(await run(checkCommand, file)).toEqual({
      code: 0,
      out: 'ok: 1 listener, 2 upstreams\n',
      err: `warning: ${file}:7:3: upstreams.spare is used by no listener\n`,
    });
  });

  test('checkCommand looks for the files that are named', async () => {
    const names = 'upstreams:\n  app: { servers: [a:1], tls: { ca: ca.pem } }\n  list: { file: . }\nca_file: all.pem\n';
    writeFileSync(
      file,
      `listeners:\n  - { address: ":1", upstream: app, tls: { hosts: { a: { cert: a.pem, key: a.key } } } }\n${names}`,
    );
    writeFileSync(join(folder, 'a.pem'), '');
    const { code, err } = await run(checkCommand, file);
    expect(code).toBe(1);
    expect(err.replaceAll(`${file}:`, '').trimEnd().split('\n')).toEqual([
      '2:76: listeners[0].tls.hosts.a.key names "a.key", a file that is not there',
      '4:37: upstreams.app.tls.ca names "ca.pem", a file that is not there',
      '5:17: upstreams.list.file names ".", a file that is a folder',
      '6:10: ca_file names "all.pem", a file that is not there',
    ]);
  });

  test.each([[['a.yaml', 'b.yaml']], [['-c', 'a.yaml', 'b.yaml']], [['--foo']], [['-c']]])(
    'checkCommand answers 2 to %j',
    async (argv) => {
      const { code, out, err } = await run(checkCommand, ...argv);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/Try --help\.\n$/);
    },
  );

  test('checkCommand answers 1 for a file that is not there', async () => {
    expect(await run(checkCommand, file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read: ENOENT'),
    });
  });
});

describe('initCommand', () => {
  test('initCommand writes a file that passes check', async () => {
    expect(await run(initCommand, file)).toMatchObject({ code: 0, err: '' });
    expect(await run(checkCommand, file)).toEqual({ code: 0, out: 'ok: 1 listener, 1 upstream\n', err: '' });
  });

  test('initCommand shows in comments what is right, too', async () => {
    const { out } = await run(initCommand, '-');
    const all = out.replace(
      /^( *)# (?=(?:- |threads|control|tls:|upstream:|redirect|protocol|sticky|db:|dns:| {2}))/gm,
      '$1',
    );
    const config = gatewayConfigFromText(all, 'x.yaml', { env: {} });
    expect(config.listeners.map(({ protocol }) => protocol)).toEqual(['http', 'http', 'http', 'tcp', 'udp']);
    expect(Object.keys(config.upstreams)).toEqual(['app', 'db', 'dns']);
    expect(config).toMatchObject({ server: { threads: 'auto' }, control: expect.any(String) });
    expect(config.upstreams.app?.sticky).toBeDefined();
  });

  test('initCommand writes over nothing but with --force', async () => {
    writeFileSync(file, 'mine');
    expect(await run(initCommand, file)).toEqual({
      code: 1,
      out: '',
      err: `${file} is there already: --force writes over it\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await run(initCommand, '--force', file)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('listeners:');
  });

  test('initCommand says when it cannot write', async () => {
    const nowhere = join(folder, 'no', 'cirque.yaml');
    expect(await run(initCommand, nowhere)).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be written: ENOENT'),
    });
    expect(existsSync(nowhere)).toBe(false);
    expect(await run(initCommand, 'a', 'b')).toMatchObject({ code: 2 });
  });
});

test('schemaCommand prints the schema', async () => {
  const { code, out } = await run(schemaCommand);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
});

test.each([
  ['check', checkCommand],
  ['init', initCommand],
  ['schema', schemaCommand],
])('%s --help prints its help', async (name, command) => {
  for (const word of ['--help', '-h']) {
    const { code, out } = await run(command, word);
    expect({ code, usage: out.split('\n')[0] }).toEqual({
      code: 0,
      usage: expect.stringContaining(`Usage: cirque ${name}`),
    });
  }
});
