import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SelectCost } from './measure-select.ts';
import { ALGORITHMS } from './measured-algorithms.ts';

const SCRIPT = fileURLToPath(new URL('./measure-select.ts', import.meta.url));
const NAMES = ALGORITHMS.map(({ name }) => name);
let costs: readonly SelectCost[];

beforeAll(async () => {
  const options = { maxBuffer: 1 << 24, timeout: 240_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@cirque/source', SCRIPT], options);
  costs = JSON.parse(stdout) as SelectCost[];
}, 250_000);

function costOf(name: string, backends: 1_000 | 100_000): SelectCost {
  const cost = costs.find((one) => one.name === name && one.backends === backends);
  if (cost === undefined) throw new Error(`${name} was not measured with ${backends} backends`);
  return cost;
}

describe('LoadBalancer.select', () => {
  it.each(NAMES)('LoadBalancer.select with %s takes at most 2 microseconds over 1,000 backends', (name) => {
    expect(costOf(name, 1_000).balancerSelect).toBeLessThan(2_000);
  });

  it.each(NAMES)('LoadBalancer.select with %s allocates nothing', (name) => {
    // One object of the smallest kind per select would be 16 bytes.
    expect(costOf(name, 1_000).balancerBytes).toBeLessThan(4);
  });
});

describe('SelectionFactory', () => {
  it.each(NAMES)('Selection.first of %s allocates nothing', (name) => {
    expect(costOf(name, 1_000).bytes).toBeLessThan(4);
    expect(costOf(name, 100_000).bytes).toBeLessThan(4);
  });

  it.each(NAMES)('Selection.first of %s costs O(log n) at most: over 100,000 backends below 5 microseconds', (name) => {
    const [some, many] = [costOf(name, 1_000), costOf(name, 100_000)];
    expect(many.select).toBeLessThan(5_000);
    expect(many.select).toBeLessThan(10 * some.select);
    expect(many.pick ?? 0).toBeLessThan(5_000);
  });

  it.each(NAMES)('SelectionFactory of %s builds for 100,000 backends without a step of 25 ms', (name) => {
    expect(costOf(name, 100_000).longestStep).toBeLessThan(25);
  });
});
