// Replaces a server several times while it is under load of every kind, and counts what its clients notice. Nothing, it should
// be: npm run example -- graceful-upgrade/upgrade-under-load --requests 30000
import { parseArgs } from 'node:util';
import { AllKinds } from './load/all-kinds.ts';
import { report } from './report.ts';
import { Site } from './site.ts';
import { until } from './waiting.ts';

const HELP = `usage: npm run example -- graceful-upgrade/upgrade-under-load [options]
  --requests N      requests at least, beside messages and datagrams (30000)
  --upgrades N      upgrades in a row, evenly among the requests (2)
  --threads LIST    threads of the first process, the second one and so on, again from the start of the list (1,2)
  --rate N          requests per second, about (1000)
  --fail-first      before the first upgrade comes one whose new process is killed before it is ready
  --no-native       without native calls (CIRQUE_FFI=off): the old process starts the new one
  --help            print this text and exit
Ends with 1 when anything has failed.
`;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '30000' },
    upgrades: { type: 'string', default: '2' },
    threads: { type: 'string', default: '1,2' },
    rate: { type: 'string', default: '1000' },
    'fail-first': { type: 'boolean', default: false },
    'no-native': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = (await upgradeUnderLoad()) ? 0 : 1;

/** @returns whether nothing has failed. */
async function upgradeUnderLoad(): Promise<boolean> {
  const [requests, upgrades, rate] = [values.requests, values.upgrades, values.rate].map(wholeNumber) as [
    number,
    number,
    number,
  ];
  const threads = values.threads.split(',').map(wholeNumber);
  const threadsOf = (generation: number): number => threads[generation % threads.length] as number;
  if (values['no-native']) process.env.CIRQUE_FFI = 'off';
  const site = await Site.start(threadsOf(0));
  const load = new AllKinds(site.target, rate);
  const problems: string[] = [];
  const share = Math.ceil(requests / (upgrades + 1));
  const untilNext = async (count = share): Promise<void> => {
    const goal = load.requests + count;
    await until(`${goal} requests`, () => load.requests >= goal, 60 + (10 * count) / rate);
  };
  try {
    if (values['fail-first']) {
      await untilNext(share / 2);
      await site.failingUpgrade(threadsOf(1));
      console.log(`an upgrade whose new process was killed: process ${site.pid} goes on`);
    }
    for (let generation = 1; generation <= upgrades; generation += 1) {
      await untilNext();
      await upgrade(site, generation, threadsOf);
    }
    await untilNext();
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    await load.end();
    problems.push(...(await site.stop()));
  }
  const expected = values['fail-first'] ? 1 : 0;
  if (site.errors.length !== expected) problems.push(...site.errors.map((error) => `in the log: ${error}`));
  problems.push(...report(load, upgrades));
  if (problems.length === 0) site.remove();
  else console.log(`${problems.join('\n')}\nmore about it is in ${site.folder}`);
  return problems.length === 0;
}

async function upgrade(site: Site, generation: number, threadsOf: (generation: number) => number): Promise<void> {
  const [old, begun] = [site.pid, performance.now()];
  const first = generation % 2 === 1 ? '-u' : 'SIGQUIT';
  const successor = await site.upgrade(threadsOf(generation), first);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const threads = `threads ${threadsOf(generation - 1)} -> ${threadsOf(generation)}`;
  console.log(`upgrade ${generation}: process ${old} -> ${successor}, ${threads}, ${first} first, ${seconds} s`);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`${text} is no whole number above 0\n${HELP}`);
  return number;
}
