/**
 * Runs one of the examples from the sources: `npm run example -- <name> [arguments...]`, or another program of it, such
 * as a client: `npm run example -- <name>/client [arguments...]`.
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

const [wanted, ...args] = process.argv.slice(2);
const [name, program = 'main'] = wanted?.split('/') ?? [];
const file = join(folder, name ?? '', 'src', `${program}.ts`);
if (!known.includes(name) || !/^[a-z-]+$/.test(program) || !existsSync(file)) {
  const problem = wanted === undefined ? 'which example?' : `there is no example "${wanted}"`;
  process.stderr.write(`${problem} Known: ${known.join(', ')}\nusage: npm run example -- <name> [arguments...]\n`);
  process.exit(1);
}

const child = spawn(process.execPath, ['--conditions=@cirque/source', file, ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.once('close', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
