import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

interface Measured {
  readonly name: string;
  readonly updateMs: number;
  readonly applyMs: number;
}

const SCRIPT = fileURLToPath(new URL('./measure-update.ts', import.meta.url));
/** The promise is 50. Measured: from 10 to 30, on a busy machine. */
const LIMIT_MS = 50;

/** One of each kind. Of all algorithms select-cost.test.ts measures how long the steps of a build take. */
const NAMES = ['RoundRobin', 'LeastConnections', 'Consistent', 'Maglev'];

describe('LoadBalancer.update', () => {
  it('LoadBalancer.update and apply of 100,000 backends keep the event loop waiting for less than 50 ms', {
    timeout: 250_000,
  }, async () => {
    const args = ['--conditions=@cirque/source', SCRIPT, String(LIMIT_MS)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 240_000 });
    const measured = JSON.parse(stdout) as Measured[];
    expect(measured.map(({ name }) => name)).toEqual(NAMES);
    const tooLong = measured.filter((one) => one.updateMs >= LIMIT_MS || one.applyMs >= LIMIT_MS);
    expect(tooLong).toEqual([]);
  });
});
