// Replaces a server several times while it is under load of every kind, and counts what its clients notice. Nothing, it should
// be: npm run example -- graceful-upgrade/upgrade-under-load --requests 30000
import { AllKinds } from './load/all-kinds.ts';
import { type Plan, readPlan } from './plan.ts';
import { report } from './report.ts';
import { Site } from './site.ts';
import { until } from './waiting.ts';

const plan = readPlan();
const site = await Site.start(plan.threadsOf(0));
const load = new AllKinds(site.target, plan.rate);
const problems: string[] = [];
try {
  await Promise.race([upgrades(plan), interrupted()]);
} catch (error) {
  problems.push((error as Error).message);
}
await load.end();
problems.push(...(await site.stop()), ...errorsInLog(plan), ...report(load, plan.upgrades));
if (problems.length === 0) site.remove();
else console.log(`${problems.join('\n')}\nmore about it is in ${site.folder}`);
process.exit(problems.length === 0 ? 0 : 1);

/** Load, an upgrade, load, another one, load. */
async function upgrades({ requests, upgrades: count, failFirst, threadsOf }: Plan): Promise<void> {
  const share = Math.ceil(requests / (count + 1));
  if (failFirst) {
    await more(share / 2);
    await site.failingUpgrade(threadsOf(1));
    console.log(`an upgrade whose new process was killed: process ${site.pid} goes on`);
  }
  for (let generation = 1; generation <= count; generation += 1) {
    await more(share);
    await upgrade(generation);
  }
  await more(share);
}

/** Waits until so many more requests have ended. */
async function more(requests: number): Promise<void> {
  const goal = load.requests + requests;
  await until(`${requests} more requests`, () => load.requests >= goal, 60 + (10 * requests) / plan.rate);
}

async function upgrade(generation: number): Promise<void> {
  const [old, begun] = [site.pid, performance.now()];
  const first = generation % 2 === 1 ? '-u' : 'SIGQUIT';
  const successor = await site.upgrade(plan.threadsOf(generation), first);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const threads = `threads ${plan.threadsOf(generation - 1)} -> ${plan.threadsOf(generation)}`;
  console.log(`upgrade ${generation}: process ${old} -> ${successor}, ${threads}, ${first} first, ${seconds} s`);
}

/** None, but for the one about the upgrade that was to fail. */
function errorsInLog({ failFirst }: Plan): string[] {
  const expected = failFirst ? 1 : 0;
  return site.errors.length === expected ? [] : site.errors.map((error) => `in the log: ${error}`);
}

/** Rejects when somebody wants this program to end: it leaves nothing behind then either. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    const end = (signal: string): void => reject(new Error(`${signal} came`));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  });
}
