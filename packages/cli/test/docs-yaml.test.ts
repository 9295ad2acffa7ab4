/**
 * Every YAML file that the documentation shows is loaded, as a reader would who copies it.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gatewayConfigFromText } from '../src/index.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = globSync('docs/guide/*.md', { cwd: ROOT }).map((path) => path.replaceAll('\\', '/'));
/** Files of examples that configure a server, and no gateway. */
const OF_SERVERS = ['examples/deploy/', 'examples/load-balancer/'];

interface YamlFile {
  /** `docs/guide/gateway.md:12` */
  readonly place: string;
  readonly text: string;
}

function blocksOf(page: string): YamlFile[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = Array.from(text.matchAll(/^```yaml\n(.*?)^```$/gms), (match) => ({
    place: `${page}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] as string,
  }));
  return blocks.filter((block) => /^listeners:/m.test(block.text));
}

const examples = globSync('examples/*/*.yaml', { cwd: ROOT })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => !OF_SERVERS.some((folder) => path.startsWith(folder)));
const files = examples.map((path): YamlFile => ({ place: path, text: readFileSync(join(ROOT, path), 'utf8') }));

describe('YAML in the documentation', () => {
  it.each([
    ['from-nginx', 12],
    ['from-haproxy', 9],
    ['gateway', 10],
  ])('is found in %s.md', (name, least) => {
    expect(blocksOf(`docs/guide/${name}.md`).length).toBeGreaterThanOrEqual(least);
  });

  it('is found in examples', () => {
    expect(examples).toContain('examples/nginy/cirque.yaml');
  });

  it.each([...PAGES, 'packages/cli/README.md'].flatMap(blocksOf).concat(files))('$place works', ({ place, text }) => {
    const warnings: string[] = [];
    const warn = ({ message, path }: { message: string; path: string }): void => {
      warnings.push(`${path} ${message}`);
    };
    expect(gatewayConfigFromText(text, place, { env: {}, warn }).listeners).not.toEqual([]);
    expect(warnings).toEqual([]);
  });
});
