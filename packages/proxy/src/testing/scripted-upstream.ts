/**
 * The upstream of a proxy under test: opens connections in memory as the script wants it, and keeps what came.
 */
import type { CirqueError } from '@cirque/error';
import { type Address, formatAddress, isUnixAddress } from '@cirque/transport';
import { MemoryEnd } from './memory-duplex.ts';
import type { TestClock } from './test-clock.ts';
import { UpstreamConnection, type UpstreamContext } from './upstream-connection.ts';
import { scriptOf, type TestUpstream, type UpstreamRequest } from './upstream-script.ts';

/** What the upstream of a test saw. */
export class ScriptedUpstream {
  readonly #context: UpstreamContext;
  readonly #connections: UpstreamConnection[] = [];
  readonly #attempts: string[] = [];

  /** @internal */
  constructor(upstream: TestUpstream | undefined, clock: TestClock) {
    this.#context = { script: scriptOf(upstream), clock, requests: [], problems: [] };
  }

  /** The addresses that the proxy tried to connect to, in order, whether accepted or not. */
  get attempts(): readonly string[] {
    return this.#attempts;
  }

  /** Connections that were accepted, in order, closed ones included. */
  get connections(): readonly UpstreamConnection[] {
    return this.#connections;
  }

  /** Requests that arrived complete, in that order. */
  get requests(): readonly UpstreamRequest[] {
    return this.#context.requests;
  }

  /** What the proxy sent although no upstream would accept it, and what the script threw. Empty when all is well. */
  get problems(): readonly CirqueError[] {
    return this.#context.problems;
  }

  /** @internal Opens a connection; the connector of the proxy calls it in the place of the network. */
  async connect(address: Address, signal: AbortSignal): Promise<MemoryEnd> {
    const where = formatAddress(address);
    const before = this.#attempts.length;
    this.#attempts.push(where);
    const { script, clock } = this.#context;
    const answer = script.connect?.(where, before) ?? 'accept';
    clock.noteTraffic();
    if (answer === 'refuse') throw systemError(`connect ECONNREFUSED ${where}`, 'ECONNREFUSED');
    if (answer === 'blackhole') return never(signal);
    const port = isUnixAddress(address) ? undefined : address.port;
    const remoteAddress = isUnixAddress(address) ? undefined : address.host;
    const proxyEnd = new MemoryEnd(clock.noteTraffic, { remoteAddress, remotePort: port });
    const upstreamEnd = new MemoryEnd(clock.noteTraffic);
    MemoryEnd.link(proxyEnd, upstreamEnd);
    this.#connections.push(new UpstreamConnection(upstreamEnd, where, this.#connections.length, this.#context));
    return proxyEnd;
  }

  /** @internal */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

/** Rejects when nobody waits any more. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(systemError('connect ECONNABORTED', 'ECONNABORTED')), { once: true });
  });
}

function systemError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code, syscall: 'connect' });
}
