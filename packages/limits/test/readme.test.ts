import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { Estimator, Inflight, Rate, SharedGauge } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

function section(name: string): string {
  return readme.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
}

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map(([line]) => line as string);
  log.mockRestore();
  const promised = [...example.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line);
  expect(printed).toEqual(promised);
});

test('README has the default sizes', () => {
  const sizes = [...section('What there is').matchAll(/^\| `(\w+)` \|.*?(\d+) (KiB|bytes) \|$/gm)].map(
    ([, name, size, unit]) => [name, Number(size) * (unit === 'KiB' ? 1_024 : 1)],
  );
  /** What a row adds; to the nearest KiB, for each row has some bytes of its own. */
  const perRow = (bytes: (rows: number) => number): number => {
    const size = bytes(2) - bytes(1);
    return size < 1_024 ? size : Math.floor(size / 1_024) * 1_024;
  };
  expect(sizes).toEqual([
    ['Rate', perRow((rows) => Rate.bytes({ rows }))],
    ['Inflight', perRow((rows) => Inflight.bytes({ rows }))],
    ['Estimator', perRow((rows) => Estimator.bytes({ rows }))],
    ['SharedGauge', perRow((rows) => SharedGauge.bytes(rows))],
  ]);
});

test('README has every source file', () => {
  const named = [...section('Source map').matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file).sort();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'src/index.ts');
  expect(named).toEqual(sources.sort());
});
