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
  /** Of `LoadBalancer.select` over these backends; only of 1,000, as the balancer's own part does not depend on their number. */
  readonly balancerSelect: number | undefined;
  readonly balancerBytes: number | undefined;
  readonly build: number;
  readonly longestStep: number;
}

const isTable = process.argv.includes('--table');
const BATCH = 1_024;
const BATCHES = isTable ? 600 : 50;
/** A build that took longer is not repeated: it is most of what all this costs. */
const LONG_BUILD_MS = 300;
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
  for (let run = 0; run < 4; run += 1) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 20; i += 1) batch();
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown / (20 * BATCH));
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

function buildTwice(
  factory: SelectionFactory,
  backends: readonly Backend[],
): { selection: Selection; steps: number[] } {
  const first: number[] = [];
  const selection = build(factory, backends, first);
  if (!isTable && sum(first) > LONG_BUILD_MS) return { selection, steps: first };
  const second: number[] = [];
  // Both runs have the same steps; the shorter one of each is free of what else the machine did.
  return {
    selection: build(factory, backends, second),
    steps: first.map((time, i) => Math.min(time, second[i] ?? time)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function measure({ name, factory, weightOf, counts }: MeasuredAlgorithm, count: number): SelectCost {
  const backends = measuredBackends(count, weightOf);
  const { selection, steps } = buildTwice(factory, backends);
  const some = factory.name === 'SourceIpHash' ? addresses : keys;
  const select = (): number => selectAll(selection, some);
  const pick = (): number => pickAll(selection, some);
  const balancer = LoadBalancer.fromAddresses(backends.slice(0, 1_000), {
    selection: { name, build: () => selection },
  });
  const balancerSelect = (): number => balancerSelectAll(balancer, some);
  return {
    name,
    backends: count,
    select: nanoseconds(select),
    bytes: bytes(select),
    balancerSelect: count === 1_000 ? nanoseconds(balancerSelect) : undefined,
    balancerBytes: count === 1_000 ? bytes(balancerSelect) : undefined,
    pick: counts ? nanoseconds(pick) : undefined,
    build: sum(steps),
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
