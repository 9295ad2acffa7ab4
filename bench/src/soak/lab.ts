/**
 * What one scene with one contestant has: the proxy, origins, crowds and healthy clients, all ended in the end.
 *
 * Also judges what is true of every scene: afterwards the proxy lives, has no connection, timer or descriptor left of those
 * that have gone, and has reported no failure of its own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { readResidentBytes, readUsage } from '../cpu-time.ts';
import { isAlive } from '../processes.ts';
import type { Stage, Target } from '../stage.ts';
import { acceptedConnections } from './client-sockets.ts';
import { type Contestant, rowOf } from './contestants.ts';
import { Crowd } from './crowd-process.ts';
import type { CrowdScript } from './crowd-script.ts';
import { exactly, type Figure, figure } from './figure.ts';
import { type GatewayStats, gatewayStats } from './gateway-stats.ts';
import type { OwnOrigin } from './own-origins.ts';
import { DEFAULT_SETTINGS, type ProxySettings } from './proxy-settings.ts';
import type { SoakOptions } from './soak-options.ts';
import { type Latencies, SteadyClients, type SteadyOptions } from './steady-clients.ts';
import { WireConnection } from './wire-connection.ts';

const ASK_TIMEOUT_MS = 5_000;
const CLOSING_TIME_MS = 5_000;
const LOOK_MS = 50;
const WARM_MS = 500;
const ALONE_MS = 3_000;
const ALONE_SHORT_MS = 700;
/** Upstream connections that stay in the pool of each thread, and what Node opens now and then. */
const DESCRIPTORS_THAT_STAY = { perThread: 128, besides: 8 };
const TIMERS_THAT_STAY = 2;
const INTERNAL_FAILURE = /Unhandled|MaxListeners|Warning:|"error":"Internal |InternalError/;

export class Lab {
  readonly stage: Stage;
  readonly contestant: Contestant;
  readonly options: SoakOptions;
  #target: Target | undefined;
  #tls = false;
  #descriptors = 0;
  #stats: GatewayStats | undefined;
  #crowds: Crowd[] = [];
  #steady: SteadyClients[] = [];
  #origins: OwnOrigin[] = [];

  constructor(stage: Stage, contestant: Contestant, options: SoakOptions) {
    this.stage = stage;
    this.contestant = contestant;
    this.options = options;
  }

  get isCirque(): boolean {
    return this.contestant.name === 'cirque';
  }

  /** The proxy in front of the given routes, `/` being the common origin unless it is named. */
  async startProxy(changes: Partial<ProxySettings> = {}): Promise<void> {
    const { maxDescriptors, originPort } = this.stage;
    const { threads } = this.options;
    const routes = { ...changes.routes, '/': changes.routes?.['/'] ?? [originPort] };
    const settings = { ...DEFAULT_SETTINGS, maxDescriptors, threads, ...changes, routes };
    this.#tls = settings.tls;
    this.#target = await this.stage.start(rowOf(this.contestant, settings, this.stage.cores), {
      client: 'http',
      origin: 'http',
    });
    // One answer, so that what is made on first use is there.
    const probe = new WireConnection({ port: this.port, tls: this.#tls });
    await probe.ask('/1k', ASK_TIMEOUT_MS);
    probe.destroy();
    if (this.isCirque) this.#stats = await this.stats();
    this.#descriptors = this.descriptors();
  }

  get target(): Target {
    if (this.#target === undefined) throw new Error('startProxy() comes first');
    return this.#target;
  }

  get port(): number {
    return this.target.port;
  }

  /** Larger in a full run. */
  size(full: number, short: number): number {
    return this.options.short ? short : full;
  }

  pause(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.stage.signal });
  }

  async crowd(script: Omit<CrowdScript, 'port' | 'tls'>, tls: boolean = this.#tls): Promise<Crowd> {
    const crowd = await Crowd.gather(this.stage, { ...script, port: this.port, tls });
    this.#crowds.push(crowd);
    return crowd;
  }

  steady(options: Omit<SteadyOptions, 'port' | 'tls' | 'path'>, path = '/1k'): SteadyClients {
    const clients = SteadyClients.start({ ...options, path, port: this.port, tls: this.#tls });
    this.#steady.push(clients);
    return clients;
  }

  /** Lets the healthy clients run themselves warm, times them alone, and begins to time them anew. */
  async alone(clients: SteadyClients): Promise<Latencies> {
    const { signal } = this.stage;
    await clients.measure(WARM_MS, signal);
    const seen = await clients.measure(this.size(ALONE_MS, ALONE_SHORT_MS), signal);
    clients.reset();
    return seen;
  }

  /** Waits until it is so, or until the time is over. */
  async until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isSo() && performance.now() < deadline) await this.pause(LOOK_MS);
  }

  keep<O extends OwnOrigin>(origin: O): O {
    this.#origins.push(origin);
    return origin;
  }

  residentBytes(): number {
    return readResidentBytes(this.target.pids);
  }

  descriptors(): number {
    return this.target.pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
  }

  /** Share of one core that the proxy uses in this time, in percent. */
  async cpuPercent(durationMs: number): Promise<number> {
    const startedAt = performance.now();
    const before = readUsage(this.target.pids).runTimeNs;
    await this.pause(durationMs);
    const usedMs = (readUsage(this.target.pids).runTimeNs - before) / 1e6;
    return (usedMs / (performance.now() - startedAt)) * 100;
  }

  /** What the gateway says of itself since the last call; of Cirque only. */
  stats(): Promise<GatewayStats> {
    return gatewayStats({ port: this.port, tls: this.#tls }, this.options.threads);
  }

  /** Milliseconds until a new client is answered with 200, `limitMs` when it is not within that time. */
  async untilServed(limitMs: number): Promise<number> {
    const startedAt = performance.now();
    while (performance.now() - startedAt < limitMs) {
      const connection = new WireConnection({ port: this.port, tls: this.#tls });
      try {
        if ((await connection.ask('/1k', limitMs)).status === 200) return performance.now() - startedAt;
      } catch {
        // Refused once more.
      } finally {
        connection.destroy();
      }
      await this.pause(LOOK_MS / 5);
    }
    return limitMs;
  }

  /** Lets everybody go, and looks at what is left of them. */
  async leftovers(): Promise<Figure[]> {
    await this.#dismiss();
    const { running } = this.target;
    const alive = exactly('alive', isAlive(running) ? 1 : 0, 1, 'the process has ended');
    if (alive.value === 0) return [alive];
    const servedMs = await this.untilServed(ASK_TIMEOUT_MS);
    await this.until(() => acceptedConnections(this.port) === 0, CLOSING_TIME_MS);
    const left = acceptedConnections(this.port);
    const descriptors = this.descriptors() - this.#descriptors;
    const { perThread, besides } = DESCRIPTORS_THAT_STAY;
    return [
      figure('served again after', servedMs, 'ms', { most: this.size(1_000, 3_000) }),
      exactly('connections left', left, 0),
      figure('descriptors more', Math.max(0, descriptors), '', { most: perThread * this.options.threads + besides }),
      ...(await this.#ownLeftovers(running.logFile)),
      alive,
    ];
  }

  async close(): Promise<void> {
    try {
      await this.#dismiss();
    } finally {
      if (this.#target !== undefined) await this.stage.stop(this.#target);
      await Promise.all(this.#origins.map((origin) => origin.close()));
    }
  }

  async #dismiss(): Promise<void> {
    const [crowds, steady] = [this.#crowds, this.#steady];
    this.#crowds = [];
    this.#steady = [];
    await Promise.all([...crowds.map((crowd) => crowd.leave()), ...steady.map((clients) => clients.stop())]);
  }

  async #ownLeftovers(logFile: string): Promise<Figure[]> {
    if (!this.isCirque) return [];
    const { timers } = await this.stats();
    const failure = INTERNAL_FAILURE.exec(readFileSync(logFile, 'utf8'))?.input;
    return [
      figure('timers more', Math.max(0, timers - (this.#stats?.timers ?? 0)), '', { most: TIMERS_THAT_STAY }),
      exactly('internal failures', failure === undefined ? 0 : 1, 0, failure?.slice(0, 2_000)),
    ];
  }
}
