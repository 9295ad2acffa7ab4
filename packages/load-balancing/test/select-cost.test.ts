import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

interface Measured {
  readonly algorithms: readonly { readonly name: string; readonly nanoseconds: number; readonly bytes: number }[];
  readonly large: number;
}

const SCRIPT = fileURLToPath(new URL('./measure-select.ts', import.meta.url));
const NAMES = ['RoundRobin', 'Random', 'FnvHash', 'FnvHash32', 'Consistent'];
let measured: Measured;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@cirque/source', SCRIPT]);
  measured = JSON.parse(stdout) as Measured;
}, 60_000);

const rowOf = (name: string): Measured['algorithms'][number] | undefined =>
  measured.algorithms.find((row) => row.name === name);

describe('LoadBalancer.select', () => {
  it.each(NAMES)('LoadBalancer.select with %s takes less than a microsecond over 1,000 weighted backends', (name) => {
    expect(rowOf(name)?.nanoseconds).toBeLessThan(1_000);
  });

  it.each(NAMES)('LoadBalancer.select with %s allocates nothing', (name) => {
    // One object of the smallest kind per select would be 16 bytes.
    expect(rowOf(name)?.bytes).toBeLessThan(4);
  });

  it('LoadBalancer.select with RoundRobin does not become linear over 100,000 backends with as many weights', () => {
    // Linear would be some hundred microseconds.
    expect(measured.large).toBeLessThan(10_000);
  });
});
