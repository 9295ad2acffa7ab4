// Two upstreams for the example: the second one is well, what ails the first depends on the scenario.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpPeer, type PeerOptions } from '@cirque/pool';

export const SCENARIOS = ['refused', 'black-hole', 'slow'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Upstreams {
  readonly first: HttpPeer;
  readonly second: HttpPeer;
  close(): void;
}

export function isScenario(name: string): name is Scenario {
  return SCENARIOS.some((scenario) => scenario === name);
}

export async function startUpstreams(scenario: Scenario): Promise<Upstreams> {
  const first = await startOrigin('first', scenario === 'slow' ? 1_000 : 0);
  const second = await startOrigin('second', 0);
  const upstreams = {
    first: new HttpPeer(addressOf(first), firstOptions(scenario)),
    second: new HttpPeer(addressOf(second)),
    close: () => [first, second].forEach(stop),
  };
  // Nobody listens on this port any more, so the system refuses connections.
  if (scenario === 'refused') await new Promise((resolve) => first.close(resolve));
  return upstreams;
}

function firstOptions(scenario: Scenario): PeerOptions {
  // How long a connection may take to be established. It says nothing about the answer.
  const connectionTimeoutMs = 400;
  if (scenario !== 'black-hole') return { connectionTimeoutMs };
  // A connection attempt that is never answered, as behind a firewall that drops packets.
  return { connectionTimeoutMs, customConnect: () => new Promise(() => {}) };
}

function addressOf(origin: Server): string {
  return `127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

function startOrigin(name: string, delayMs: number): Promise<Server> {
  const origin = createServer((_request, response) => {
    setTimeout(() => response.end(`hello from the ${name} upstream\n`), delayMs);
  });
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
