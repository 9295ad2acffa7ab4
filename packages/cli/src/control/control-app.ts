/**
 * What a gateway answers to its operator over HTTP: statistics, readiness, and the states of servers.
 *
 * On a unix socket whoever may open it is trusted. On TCP only addresses are accepted as Host, so that a web page cannot reach it
 * through a name of its own (DNS rebinding); changes need PUT, which browsers ask for leave first.
 */
import { isIP } from 'node:net';
import type { PlainRequest, PlainResponse, ServeHttp } from '@cirque/core';
import type { LoadBalancer, OperatorState } from '@cirque/load-balancing';

/** What is answered about. */
export interface Controlled {
  stats(): Promise<unknown>;
  isReady(): boolean;
  /** The balancers by the names of their upstreams. */
  balancer(upstream: string): LoadBalancer | undefined;
}

const STATES: readonly string[] = ['active', 'draining', 'maintenance'] satisfies readonly OperatorState[];
const STATE_PATH = /^\/upstreams\/([^/]+)\/servers\/([^/]+)\/state$/;

/** See the file's head. */
export class ControlApp implements ServeHttp {
  readonly #controlled: Controlled;

  constructor(controlled: Controlled) {
    this.#controlled = controlled;
  }

  async response(request: PlainRequest): Promise<PlainResponse> {
    if (request.clientAddress !== undefined && !isAddressed(request.headers.get('Host'))) {
      return text(421, 'use an address in the place of a name\n');
    }
    const path = request.target.split('?', 1)[0] ?? '';
    if (path === '/stats') return this.#read(request, async () => json(200, await this.#controlled.stats()));
    if (path === '/ready') return this.#read(request, () => this.#readiness());
    const [, upstream, server] = STATE_PATH.exec(path) ?? [];
    if (upstream === undefined || server === undefined) {
      return text(404, 'GET /stats, GET /ready, PUT /upstreams/NAME/servers/ADDRESS/state\n');
    }
    return this.#server(request, decode(upstream), decode(server));
  }

  #read(
    { method }: PlainRequest,
    answer: () => PlainResponse | Promise<PlainResponse>,
  ): PlainResponse | Promise<PlainResponse> {
    return method === 'GET' || method === 'HEAD' ? answer() : notAllowed('GET, HEAD');
  }

  #readiness(): PlainResponse {
    return this.#controlled.isReady() ? text(200, 'ready\n') : text(503, 'not ready\n');
  }

  async #server(request: PlainRequest, upstream: string, address: string): Promise<PlainResponse> {
    const balancer = this.#controlled.balancer(upstream);
    if (balancer === undefined) return text(404, `there is no upstream ${JSON.stringify(upstream)}\n`);
    const known = stateOf(balancer, address);
    if (known === undefined) {
      return text(404, `upstream ${JSON.stringify(upstream)} has no server ${JSON.stringify(address)}\n`);
    }
    if (request.method === 'GET' || request.method === 'HEAD') return text(200, `${known}\n`);
    if (request.method !== 'PUT') return notAllowed('GET, HEAD, PUT');
    const state = (await request.body()).toString('utf8').trim();
    if (!STATES.includes(state)) {
      return text(400, `state ${JSON.stringify(state.slice(0, 40))} is unknown: expected ${STATES.join(', ')}\n`);
    }
    balancer.setState(address, state as OperatorState);
    return text(200, `${state}\n`);
  }
}

/** Undefined for an address that is none of its servers, or none at all. */
function stateOf(balancer: LoadBalancer, address: string): OperatorState | undefined {
  try {
    return balancer.stateOf(address);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** True for `localhost` and IP addresses, with or without a port. */
function isAddressed(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || isIP(name) !== 0;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function json(status: number, value: unknown): PlainResponse {
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

function text(status: number, body: string): PlainResponse {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function notAllowed(allow: string): PlainResponse {
  return { status: 405, headers: { Allow: allow, 'Content-Type': 'text/plain' }, body: `allowed: ${allow}\n` };
}
