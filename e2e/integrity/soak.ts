/**
 * Keeps many requests of several clients under way for a while, and collects what was wrong.
 */
import { SeededRandom } from '@cirque/testing';
import type { OriginKind } from '../src/four-origins.ts';
import { NodeHttp1, NodeHttp2 } from './node-clients.ts';
import { PipeliningClient } from './pipelining-client.ts';
import { type Plan, planOf } from './plan.ts';
import type { SoakClient } from './soak-client.ts';
import type { SoakRig } from './soak-rig.ts';

export interface SoakOptions {
  readonly from: 'h1' | 'h2';
  readonly to: 'h1' | 'h2';
  readonly seconds: number;
  readonly seed: number;
}

export interface SoakReport {
  /** Requests that were begun. */
  readonly requests: number;
  readonly problems: readonly string[];
  /** Requests that the gateway answered with 502, without a reason in their plan. */
  readonly unanswered: readonly string[];
}

/** Batches that are under way at a time, on each of the clients. */
const WORKERS = 6;
const HANGS_AFTER_MS = 15_000;
const MAX_PROBLEMS = 20;
const UNANSWERED = /^\S+ status 502;/;

/** Numbers of requests are never used twice. */
let nextId = 1;

/** Runs with TLS and without on either side at the same time. */
export async function soak(rig: SoakRig, { from, to, seconds, seed }: SoakOptions): Promise<SoakReport> {
  const random = new SeededRandom(seed);
  const clients = [false, true].flatMap((tls) => clientsOf(rig, from, tls, random));
  const until = performance.now() + seconds * 1_000;
  const problems: string[] = [];
  const plans: Plan[] = [];
  const work = async ({ client, simple }: Kind): Promise<void> => {
    while (performance.now() < until && problems.length < MAX_PROBLEMS) {
      const count = simple && random.chance(0.5) ? random.int(30, 60) : random.int(1, 5);
      const batch = Array.from({ length: count }, () => planOf(random, nextId++, simple));
      plans.push(...batch);
      const origin: OriginKind = random.chance(0.5) ? to : `${to}-tls`;
      const verdicts = await inTime(client.run(batch, origin), batch);
      for (const verdict of verdicts) if (verdict !== undefined) problems.push(`${origin}: ${verdict}`);
    }
  };
  await Promise.all(clients.flatMap((kind) => Array.from({ length: WORKERS }, () => work(kind))));
  await Promise.all(clients.map(({ client }) => client.close()));
  problems.push(...rig.origin.problems.splice(0), ...miscounted(plans, rig.origin.served));
  const isUnanswered = (problem: string): boolean => UNANSWERED.test(problem);
  return {
    requests: plans.length,
    problems: problems.filter((problem) => !isUnanswered(problem)),
    unanswered: problems.filter(isUnanswered),
  };
}

interface Kind {
  readonly client: SoakClient;
  readonly simple: boolean;
}

function clientsOf(rig: SoakRig, from: 'h1' | 'h2', tls: boolean, random: SeededRandom): readonly Kind[] {
  if (from === 'h2') return [{ client: new NodeHttp2(rig, tls), simple: false }];
  return [
    { client: new NodeHttp1(rig, tls), simple: false },
    { client: new PipeliningClient(rig, tls, random), simple: true },
  ];
}

/** Requests that nobody broke off come to the origin once; others may have come to nothing, or be repeated. */
function miscounted(plans: readonly Plan[], served: ReadonlyMap<number, number>): string[] {
  return plans.flatMap(({ id, cancelAt, breakAt }) => {
    const times = served.get(id) ?? 0;
    return times > 1 && cancelAt < 0 && breakAt < 0 ? [`request ${id} came to the origin ${times} times`] : [];
  });
}

async function inTime(
  verdicts: Promise<readonly (string | undefined)[]>,
  plans: readonly Plan[],
): Promise<readonly (string | undefined)[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(() => resolve([`hangs: one of ${JSON.stringify(plans)}`]), HANGS_AFTER_MS);
  });
  try {
    return await Promise.race([verdicts, late]);
  } finally {
    clearTimeout(timer);
  }
}
