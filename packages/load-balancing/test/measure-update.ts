/**
 * Measures how long updates of 100,000 backends keep the event loop waiting, in a process of its own: other tests would
 * do so, too.
 *
 * Takes a limit in milliseconds. Prints one line of JSON: for each algorithm the longest time between two turns of the loop, in milliseconds,
 * while an update, and while a copy's `apply`, were under way. What else the machine does, and the compiler at first, is not what is
 * measured: rounds go on until both have once been below the limit, three at the most, and the best of each counts.
 */
import {
  Backend,
  Consistent,
  LeastConnections,
  LoadBalancer,
  Maglev,
  RoundRobin,
  type SelectionFactory,
} from '../src/index.ts';

const FACTORIES: readonly SelectionFactory[] = [RoundRobin, LeastConnections, Consistent, Maglev];

const COUNT = 100_000;
const MAX_ROUNDS = 3;

/** All but one in a hundred are the same from one list to the next. */
function listOf(round: number): Backend[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const at = i + round * 1_000;
    return Backend.of({ host: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, port: 443 });
  });
}

/** Processor time of this process, all threads, in milliseconds. */
function processorMs(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1_000;
}

/**
 * The longest time between two turns while something is under way. Where this process used the processor for less than that,
 * others had it, and only what it used counts.
 */
async function longestBlock(run: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let last = { clock: performance.now(), processor: processorMs() };
  const look = (): void => {
    const now = { clock: performance.now(), processor: processorMs() };
    longest = Math.max(longest, Math.min(now.clock - last.clock, now.processor - last.processor));
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await run();
  await new Promise<void>((resolve) => setImmediate(resolve));
  isOver = true;
  return longest;
}

async function measure(selection: SelectionFactory, limitMs: number): Promise<object> {
  let found = listOf(0);
  const balancer = new LoadBalancer({ discovery: { discover: () => ({ backends: found }) }, selection });
  const copy = LoadBalancer.fromAddresses(['10.255.0.1:80'], { selection });
  const updates: number[] = [];
  const applications: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (Math.min(...updates) < limitMs && Math.min(...applications) < limitMs) break;
    found = listOf(round);
    let clone = balancer.snapshot();
    const told = new Promise<void>((resolve) => {
      const end = balancer.onChange((change) => {
        // What passing it to a thread takes on this side; on the other one it is about the same.
        if (change.kind === 'backends') clone = structuredClone(change);
        end();
        resolve();
      });
    });
    updates.push(await longestBlock(() => Promise.all([balancer.update(), told])));
    applications.push(
      await longestBlock(async () => {
        copy.apply(clone);
        await copy.applied();
      }),
    );
    if (copy.backends.size !== COUNT || !copy.backends.find(found[0]?.address ?? '')) throw new Error('not taken over');
  }
  return { name: selection.name, updateMs: Math.min(...updates), applyMs: Math.min(...applications) };
}

const limitMs = Number(process.argv[2]);
const measured: object[] = [];
for (const factory of FACTORIES) measured.push(await measure(factory, limitMs));
process.stdout.write(`${JSON.stringify(measured)}\n`);
