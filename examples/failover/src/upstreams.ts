// Two upstreams for the example: the second one is well, what ails the first depends on the scenario.
import { createServer } from 'node:http';
import type { PeerOptions } from '@cirque/pool';
import { closeAll, type Origin, runOrigin } from '@cirque-example/origins';

export const SCENARIOS = ['refused', 'black-hole', 'slow'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Addresses of the upstreams, and how to stop them. */
export interface Upstreams {
  readonly first: string;
  readonly second: string;
  close(): void;
}

export function isScenario(name: string): name is Scenario {
  return SCENARIOS.some((scenario) => scenario === name);
}

export async function startUpstreams(scenario: Scenario): Promise<Upstreams> {
  const first = await startOrigin('first', scenario === 'slow' ? 1_000 : 0);
  const second = await startOrigin('second', 0);
  // Nobody listens on this port any more, so the system refuses connections.
  if (scenario === 'refused') first.close();
  return { first: first.address, second: second.address, close: closeAll([first, second]) };
}

/** How the first upstream is connected to. */
export function firstOptions(scenario: Scenario): PeerOptions {
  // How long a connection may take to be established. It says nothing about the answer.
  const connectionTimeoutMs = 400;
  if (scenario !== 'black-hole') return { connectionTimeoutMs };
  // A connection attempt that is never answered, as behind a firewall that drops packets.
  return { connectionTimeoutMs, customConnect: () => new Promise(() => {}) };
}

function startOrigin(name: string, delayMs: number): Promise<Origin> {
  const origin = createServer((_request, response) => {
    setTimeout(() => response.end(`hello from the ${name} upstream\n`), delayMs);
  });
  return runOrigin(origin);
}
