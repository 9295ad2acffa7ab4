/**
 * What a worker thread of a gateway loads: it is told the configuration, and does without what checks a file.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;

/** All that a file imports statically, files of this package and names of others. */
function loadedBy(file: URL, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file.href)) return seen;
  seen.add(file.href);
  for (const [, name = ''] of readFileSync(fileURLToPath(file), 'utf8').matchAll(STATIC_IMPORT)) {
    if (name.startsWith('.')) loadedBy(new URL(name, file), seen);
    else seen.add(name);
  }
  return seen;
}

const program = new URL('../src/bin.ts', import.meta.url);
const run = new URL('../src/commands/run.ts', import.meta.url);

test('bin and run load neither the schema nor zod', () => {
  const loaded = [...loadedBy(program), ...loadedBy(run)];
  expect(loaded).toContain('@cirque/core');
  expect(loaded.some((name) => name.endsWith('/src/gateway/gateway.ts'))).toBe(true);
  expect(loaded.filter((name) => name === 'zod' || name.includes('/src/schema/') || name.endsWith('/load.ts'))).toEqual(
    [],
  );
});

test('the reading of a file loads both', () => {
  const loaded = [...loadedBy(new URL('../src/commands/readers.ts', import.meta.url))];
  expect(loaded).toContain('zod');
});
