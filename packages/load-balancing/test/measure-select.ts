/**
 * Measures what `select` costs, in a process of its own: coverage and the test runner would slow it down.
 *
 * Prints one line of JSON: for each algorithm nanoseconds per select over 1,000 backends and bytes allocated per select,
 * and the nanoseconds of round robin over 100,000 backends with as many weights.
 */
import { Backend, Consistent, FnvHash, FnvHash32, LoadBalancer, Random, RoundRobin } from '../src/index.ts';

const BATCH = 1_024;
const keys = Array.from({ length: BATCH }, (_, i) => Buffer.from(`/some/path/${i * 7_919}?page=${i}`).toString());

function backendsOf(count: number, weightOf: (i: number) => number): Backend[] {
  return Array.from({ length: count }, (_, i) =>
    Backend.of({ host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 80 }, { weight: weightOf(i) }),
  );
}

function selectAll(balancer: LoadBalancer): number {
  let sum = 0;
  for (const key of keys) sum += balancer.select(key)?.weight ?? 0;
  return sum;
}

/** The best of many batches shorter than a time slice: what else the machine does hardly counts. */
function nanoseconds(balancer: LoadBalancer): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 400; i += 1) {
    const start = process.hrtime.bigint();
    selectAll(balancer);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / BATCH);
  }
  return best;
}

/** A garbage collection in between makes the heap shrink; such a run says nothing, so the least growth of several counts. */
function bytes(balancer: LoadBalancer): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 6; run += 1) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200; i += 1) selectAll(balancer);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown / (200 * BATCH));
  }
  return least;
}

const algorithms = [RoundRobin, Random, FnvHash, FnvHash32, Consistent].map((selection) => {
  const balancer = LoadBalancer.fromAddresses(
    backendsOf(1_000, (i) => 1 + (i % 5)),
    { selection },
  );
  return { name: selection.name, nanoseconds: nanoseconds(balancer), bytes: bytes(balancer) };
});
const large = nanoseconds(LoadBalancer.fromAddresses(backendsOf(100_000, (i) => 1 + ((i * 7_919) % 100_003))));
process.stdout.write(`${JSON.stringify({ algorithms, large })}\n`);
