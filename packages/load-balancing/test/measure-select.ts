/**
 * Measures what choosing and building cost, in a process of its own: coverage and the test runner would slow it down.
 *
 * Prints one line of JSON, a row for each algorithm and number of backends. With `--table` the table of
 * docs/guide/balancing-methods.md: `node --conditions=@cirque/source test/measure-select.ts --table`.
 */
import { type Backend, LoadBalancer, type Selection, type SelectionFactory } from '../src/index.ts';
import { ALGORITHMS, type MeasuredAlgorithm, measuredBackends } from './measured-algorithms.ts';

/** Nanoseconds and bytes for one choice, milliseconds for a build. */
export interface SelectCost {
  readonly name: string;
  readonly backends: number;
  /** Of `first`. */
  readonly select: number;
  /** Of `first`, the reports that the use has begun and ended, and its outcome; undefined where nobody listens. */
  readonly pick: number | undefined;
  readonly bytes: number;
  /** Of `LoadBalancer.select` over these backends. */
  readonly balancerSelect: number;
  readonly balancerBytes: number;
  readonly build: number;
  readonly longestStep: number;
}

const isTable = process.argv.includes('--table');
const BATCH = 1_024;
const BATCHES = isTable ? 600 : 120;
const keys = Array.from({ length: BATCH }, (_, i) => Buffer.from(`/some/path/${i * 7_919}?page=${i}`).toString());
const addresses = keys.map((_, i) => `192.168.${(i * 31) & 255}.${i & 255}:${1_024 + i}`);
const FINE = { ok: true, latencyMs: 5 };

function selectAll(selection: Selection, some: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i += 1) sum += selection.first(some[i] as string);
  return sum;
}

function balancerSelectAll(balancer: LoadBalancer, some: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i += 1) sum += balancer.select(some[i] as string)?.weight ?? 0;
  return sum;
}

function pickAll(selection: Selection, some: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i += 1) {
    const position = selection.first(some[i] as string);
    selection.onLoad?.(position, 1);
    selection.onLoad?.(position, 0);
    selection.onDone?.(position, FINE);
    sum += position;
  }
  return sum;
}

/** The best of many batches shorter than a time slice: what else the machine does hardly counts. */
function nanoseconds(batch: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < BATCHES; i += 1) {
    const start = process.hrtime.bigint();
    batch();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / BATCH);
  }
  return best;
}

/** A garbage collection in between makes the heap shrink; such a run says nothing, so the least growth of several counts. */
function bytes(batch: () => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 6; run += 1) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 50; i += 1) batch();
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown / (50 * BATCH));
  }
  return least;
}

/** Of this thread where Node.js tells (from 23.9 on). In ticks of some milliseconds. */
function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

/** Builds in steps where it can; appends what each step took. */
function build(factory: SelectionFactory, backends: readonly Backend[], steps: number[]): Selection {
  let start = performance.now();
  let cpuStart = cpuMilliseconds();
  const lap = (): void => {
    const [duration, cpu] = [performance.now() - start, cpuMilliseconds() - cpuStart];
    // A long step may have been interrupted by another process.
    steps.push(duration < 8 ? duration : Math.min(duration, cpu));
    start = performance.now();
    cpuStart = cpuMilliseconds();
  };
  if (factory.buildInSteps === undefined) {
    const selection = factory.build(backends, undefined);
    lap();
    return selection;
  }
  const generator = factory.buildInSteps(backends, undefined);
  let result = generator.next();
  for (; result.done !== true; result = generator.next()) lap();
  lap();
  return result.value;
}

function measure({ name, factory, weightOf, counts }: MeasuredAlgorithm, count: number): SelectCost {
  const backends = measuredBackends(count, weightOf);
  const runs: number[][] = [[], []];
  build(factory, backends, runs[0] as number[]);
  const selection = build(factory, backends, runs[1] as number[]);
  // Both runs have the same steps; the shorter one of each is free of what else the machine did.
  const steps = (runs[0] ?? []).map((duration, i) => Math.min(duration, runs[1]?.[i] ?? duration));
  const some = factory.name === 'SourceIpHash' ? addresses : keys;
  const select = (): number => selectAll(selection, some);
  const pick = (): number => pickAll(selection, some);
  const balancer = LoadBalancer.fromAddresses(backends, { selection: { name, build: () => selection } });
  const balancerSelect = (): number => balancerSelectAll(balancer, some);
  return {
    name,
    backends: count,
    select: nanoseconds(select),
    bytes: bytes(select),
    balancerSelect: nanoseconds(balancerSelect),
    balancerBytes: bytes(balancerSelect),
    pick: counts ? nanoseconds(pick) : undefined,
    build: steps.reduce((sum, step) => sum + step, 0),
    longestStep: Math.max(...steps),
  };
}

const round = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));

function table(costs: readonly SelectCost[]): string {
  const rows = ALGORITHMS.map(({ name }) => {
    const [small, middle, large] = costs.filter((cost) => cost.name === name);
    if (small === undefined || middle === undefined || large === undefined) throw new Error(`${name} was not measured`);
    const cells = [small, middle, large].map((cost) => round(cost.select));
    const pick = large.pick === undefined ? '' : round(large.pick);
    return `| ${[name, ...cells, pick, round(large.build), round(large.longestStep)].join(' | ')} |`;
  });
  const heads = ['Algorithm, weights', '10', '1,000', '100,000', 'with its reports', 'build, ms', 'longest step, ms'];
  return [`| ${heads.join(' | ')} |`, `|${'---|'.repeat(heads.length)}`, ...rows].join('\n');
}

const sizes = isTable ? [10, 1_000, 100_000] : [1_000, 100_000];
const costs = ALGORITHMS.flatMap((algorithm) => sizes.map((count) => measure(algorithm, count)));
process.stdout.write(`${isTable ? table(costs) : JSON.stringify(costs)}\n`);
