/**
 * The one gate: build, type check, lint, layers, boundaries, then every test with coverage.
 * Stops at the first step that fails and names it. The tests come last, so that their closing line is the last line.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const steps = [
  ['build, type check, lint', 'turbo run build typecheck lint --output-logs=new-only'],
  ['layers', 'node tools/check-layers.mjs'],
  ['boundaries', 'turbo boundaries'],
  ['tests', 'vitest run --coverage'],
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const [title, command] of steps) {
  process.stdout.write(`\n== ${title}: ${command}\n`);
  const { status } = spawnSync(command, { cwd: root, stdio: 'inherit', shell: true });
  if (status !== 0) {
    if (title !== 'tests') process.stderr.write(`\nverify stopped at: ${title}\n`);
    process.exit(status ?? 1);
  }
}
