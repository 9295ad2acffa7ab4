/**
 * The one gate: lint, build and type check, layers, boundaries, then every test with coverage.
 * Stops at the first step that fails and names it. The last line is always the count of the tests, or of the one step
 * that failed before them. Lint comes first and alone, because builds write files for a moment into the source folders.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const steps = [
  ['lint', 'pnpm run lint'],
  ['build and type check', 'turbo run build typecheck --output-logs=new-only'],
  ['layers', 'node tools/check-layers.mjs'],
  ['boundaries', 'turbo boundaries'],
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function succeeds(title, command) {
  process.stdout.write(`\n== ${title}: ${command}\n`);
  return spawnSync(command, { cwd: root, stdio: 'inherit', shell: true }).status === 0;
}

for (const [title, command] of steps) {
  if (succeeds(title, command)) continue;
  process.stdout.write(`\nstopped at: ${title}\n0 passed, 1 failed\n`);
  process.exit(1);
}
process.exitCode = succeeds('tests', 'vitest run --coverage') ? 0 : 1;
