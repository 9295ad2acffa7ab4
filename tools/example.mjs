/**
 * Runs one of the examples from the sources: `npm run example -- <name> [arguments...]`.
 * Refuses a name that is not a folder of examples/ with a src/main.ts, and lists those that are.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'examples');
const known = existsSync(folder)
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'src', 'main.ts')))
  : [];

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !known.includes(name)) {
  const problem = name === undefined ? 'which example?' : `there is no example "${name}"`;
  process.stderr.write(`${problem} Known: ${known.join(', ')}\nusage: npm run example -- <name> [arguments...]\n`);
  process.exit(1);
}

const child = spawn(process.execPath, ['--conditions=@cirque/source', join(folder, name, 'src', 'main.ts'), ...args], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.once('close', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
