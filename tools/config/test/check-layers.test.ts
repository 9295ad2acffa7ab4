import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root, run, scratchFolder } from './run-node.ts';

const script = join(root, 'tools/check-layers.mjs');

const layers = {
  packages: {
    low: { allow: [], why: 'low is the bottom' },
    high: { allow: ['low'], why: 'high stands on low only' },
    testing: { allow: [], why: 'testing stands alone' },
    side: { allow: [], tests: ['low'], why: 'side stands beside the others' },
  },
};

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

function workspace(files: Readonly<Record<string, string>>, manifests: readonly Manifest[] = []): string {
  const folder = scratchFolder();
  const defaults: Manifest[] = [
    { name: '@cirque/low', devDependencies: { vitest: '*', '@cirque/testing': '*' } },
    { name: '@cirque/high', dependencies: { '@cirque/low': '*' } },
  ];
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  write('tools/layers.json', JSON.stringify(layers));
  for (const manifest of [...defaults, ...manifests]) {
    write(`packages/${manifest.name.split('/')[1]}/package.json`, JSON.stringify(manifest));
  }
  for (const [path, content] of Object.entries(files)) write(path, content);
  return folder;
}

async function problems(folder: string): Promise<string> {
  const { code, stderr } = await run([script, folder]);
  expect(code).toBe(stderr === '' ? 0 : 1);
  return stderr;
}

test('check-layers accepts the workspace as it is', async () => {
  expect(await problems(root)).toBe('');
});

test('check-layers accepts imports that point down, own files, builtins and what comments mention', async () => {
  const folder = workspace({
    'packages/high/src/a.ts': `/**\n * import { x } from '@cirque/nowhere';\n */\n// import 'nothing';\nimport { x } from '@cirque/low';\nimport './b.ts';\nimport 'node:net';\n`,
    'packages/low/src/a.test.ts': `import { test } from 'vitest';\nimport { feed } from '@cirque/testing';\n`,
  });
  expect(await problems(folder)).toBe('');
});

test.each([
  ['import', `import { x } from '@cirque/high';`],
  ['import over several lines', `import {\n  x,\n  y as z,\n} from "@cirque/high";`],
  ['import type', `import type { X } from '@cirque/high';`],
  ['import for its effect', `import '@cirque/high';`],
  ['import of a subpath', `import { x } from '@cirque/high/testing';`],
  ['default and names', `import x, { y } from '@cirque/high';`],
  ['namespace', `import * as x from '@cirque/high';`],
  ['export', `export { x } from '@cirque/high';`],
  ['export star', `export * from '@cirque/high';`],
  ['dynamic import', `const x = await import('@cirque/high');`],
])('check-layers refuses an upward %s with the reason', async (_, line) => {
  const folder = workspace({ 'packages/low/src/a.ts': `const first = 1;\n${line}\n` });
  expect(await problems(folder)).toContain(
    'packages/low/src/a.ts: @cirque/low may not use @cirque/high: low is the bottom.',
  );
});

test('check-layers refuses an upward dependency of a manifest, also one for development', async () => {
  const upward = workspace({}, [{ name: '@cirque/low', dependencies: { '@cirque/high': '*' } }]);
  expect(await problems(upward)).toContain('@cirque/low may not use @cirque/high: low is the bottom.');
  const dev = workspace({}, [{ name: '@cirque/low', devDependencies: { '@cirque/high': '*' } }]);
  expect(await problems(dev)).toContain('(devDependencies): @cirque/low may not use @cirque/high');
});

test('check-layers refuses what the manifest does not declare', async () => {
  const folder = workspace({ 'packages/high/src/a.ts': `import pino from 'pino';\n` });
  expect(await problems(folder)).toContain('packages/high/src/a.ts: imports pino, which is no run-time dependency');
});

test('check-layers refuses a development dependency in a source, and testing as well', async () => {
  const folder = workspace({
    'packages/low/src/a.ts': `import { test } from 'vitest';\nimport { feed } from '@cirque/testing';\n`,
  });
  const found = await problems(folder);
  expect(found).toContain('imports vitest, which is no run-time dependency');
  expect(found).toContain('@cirque/low may not use @cirque/testing');
});

test('check-layers refuses a package that has no place in the layers', async () => {
  const folder = workspace({}, [{ name: '@cirque/stray' }]);
  expect(await problems(folder)).toContain('packages/stray: is not in tools/layers.json');
});

test('turbo.json allows at least what layers.json allows, so that the two never disagree', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'tools/layers.json'), 'utf8'));
  const turbo = JSON.parse(readFileSync(join(root, 'turbo.json'), 'utf8').replace(/^\s*\/\/.*$/gm, ''));
  for (const [name, { allow }] of Object.entries<{ allow: string[] }>(packages)) {
    expect(turbo.boundaries.tags[name].dependencies.allow, name).toEqual(expect.arrayContaining(allow));
  }
  expect(Object.keys(turbo.boundaries.tags).sort()).toEqual(Object.keys(packages).sort());
});

test('check-layers lets tests use what their package names for them, and its sources not', async () => {
  const side: Manifest = { name: '@cirque/side', devDependencies: { '@cirque/low': '*' } };
  const use = "import { x } from '@cirque/low';\n";
  expect(await problems(workspace({ 'packages/side/test/a.test.ts': use }, [side]))).toBe('');
  const inSource = await problems(workspace({ 'packages/side/src/a.ts': use }, [side]));
  expect(inSource).toContain('packages/side/src/a.ts: @cirque/side may not use @cirque/low');
});
