import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestOrigin } from '@cirque/testing';
import { expect, test } from 'vitest';
import { DEFAULT_PEER_OPTIONS, type PeerOptions, resolvePeerOptions } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');

/** The first two cells of each row whose first cell is an option. */
const options = [...readme.matchAll(/^\| `([a-z][A-Za-z0-9]*)` \| ([^|]+) \|/gm)].map(
  ([, name, value]) => [name, value] as const,
);

test('README has every option of a peer, and no other', () => {
  let known: string[] = [];
  try {
    resolvePeerOptions({ unknown: true } as PeerOptions);
  } catch (error) {
    known = /expected one of (.*)$/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
  }
  expect(options.map(([name]) => name).toSorted()).toEqual(known.toSorted());
});

/** Options whose default is no single value. */
const SPELLED_OUT = new Set(['limits', 'requestPolicy', 'sni']);

test('README has the defaults of the source', () => {
  for (const [name, value] of options) {
    const real: unknown = DEFAULT_PEER_OPTIONS[name as keyof typeof DEFAULT_PEER_OPTIONS];
    if (typeof real === 'number') expect(value?.replace(' (no limit)', '')).toBe(real.toLocaleString('en-US'));
    else if (!SPELLED_OUT.has(name ?? ''))
      expect([name, value]).toEqual([name, real === undefined ? 'none' : String(real)]);
  }
});

test('README shows the example that is type-checked', () => {
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
});

test('README’s example works, over one connection', async () => {
  const origin = await TestOrigin.listen([
    { expect: /GET \/one HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n\r\n/ },
    { send: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst' },
    { expect: 'GET /two' },
    { send: 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n' },
  ]);
  const code = `${example.replace('127.0.0.1:9000', `127.0.0.1:${origin.port}`)}console.log(JSON.stringify([first, second]));`;
  const args = ['--conditions=@cirque/source', '--input-type=module-typescript', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(JSON.parse(stdout)).toEqual([
    { status: 200, body: 'first' },
    { status: 404, body: 'second' },
  ]);
  expect(origin.connections).toHaveLength(1);
  await origin.close();
});

test('README maps every source file', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts') && file !== 'src/index.ts',
  );
  const mapped = [...readme.matchAll(/^\| `(src\/[^`]+)` \|/gm)].map((match) => match[1]);
  expect(mapped.toSorted()).toEqual(files.toSorted());
});
