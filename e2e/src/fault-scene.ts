/**
 * One cell of the fault matrix while it is played: origin, proxy and client, what is waited for, what is seen, and the
 * proof that nothing is left.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { LeakCheck } from '@cirque/testing';
import { expect } from 'vitest';
import type { Fault, Pair, Seen } from './fault.ts';
import { type Asked, type FaultClient, type FaultClientOptions, faultClient, silentClient } from './fault-client.ts';
import { FaultOrigin, PLAIN_PATH } from './fault-origin.ts';
import type { OriginRequest } from './fault-origin-request.ts';
import { FaultSite } from './fault-site.ts';

const PATIENCE_MS = 3_000;
/** What was sent on the loopback has been read after so many turns. */
const TURNS = 12;
/** All that may linger after the last response: a second, for each side. */
const LINGER_MS = 3_000;
/** What was not taken for so long waits for somebody who does not read. */
const STUCK_MS = 60;
const STUCK_TURNS = 200;
/** How exactly a deadline is kept. */
const BEFORE_MS = 100;

export class FaultScene {
  readonly pair: Pair;
  readonly site: FaultSite;
  readonly origin: FaultOrigin;
  /** The client of the fault, and its request. */
  client!: FaultClient;
  asked: Asked | undefined;
  /** The client has ended its connection. */
  clientLeft = false;
  /** The client has given the request up, not its connection. */
  cancelled = false;
  readonly #leaks: LeakCheck;
  readonly #clients: FaultClient[] = [];

  private constructor(pair: Pair, site: FaultSite, origin: FaultOrigin, leaks: LeakCheck) {
    this.pair = pair;
    this.site = site;
    this.origin = origin;
    this.#leaks = leaks;
  }

  static async open(pair: Pair, fault: Fault, blackHolePort: number): Promise<FaultScene> {
    const leaks = LeakCheck.start();
    const origin = await FaultOrigin.listen(pair.origin, pair.tls);
    const upstreamPort = fault.blackHole ? blackHolePort : origin.port;
    const { proxy = {}, peer = {}, handshakeTimeoutMs = PATIENCE_MS } = fault;
    const options = { upstreamPort, proxy, peer, handshakeTimeoutMs };
    const scene = new FaultScene(pair, await FaultSite.start(pair, options), origin, leaks);
    if (fault.warm) await scene.#warm();
    scene.site.log.length = 0;
    return scene;
  }

  /** A client of the proxy; the last one is the one of the fault. */
  async connect(options?: FaultClientOptions): Promise<FaultClient> {
    const { client: version, tls } = this.pair;
    this.client = await faultClient(this.site.port, version, tls, options);
    this.#clients.push(this.client);
    // On HTTP/2 the settings have been exchanged then.
    await this.settle();
    return this.client;
  }

  /** A client that says nothing by itself: no preface, and without `tls` nothing of a handshake. */
  async connectSilently(tls: boolean = this.pair.tls): Promise<void> {
    this.client = await silentClient(this.site.port, this.pair.client, tls);
    this.#clients.push(this.client);
  }

  /** Waits until the proxy works on a request. */
  underWay(): Promise<void> {
    return this.until(() => this.site.stats.active > 0, 'the request at the proxy');
  }

  /** Waits until the head of the request has come to the origin. */
  async begun(): Promise<OriginRequest> {
    await this.until(() => this.origin.requests.length > 0, 'the head at the origin');
    return this.origin.requests[0] as OriginRequest;
  }

  /** Sends a whole request and waits until it has come to the origin. */
  async ask(method: 'GET' | 'POST' = 'GET'): Promise<OriginRequest> {
    const client = await this.connect();
    this.asked = client.ask(method);
    return this.arrival();
  }

  /** The first request at the origin, whole. */
  async arrival(): Promise<OriginRequest> {
    await this.until(() => this.origin.requests[0]?.isWhole === true, 'the request at the origin');
    return this.origin.requests[0] as OriginRequest;
  }

  /** The client has got so many octets of the body; 0: the head. */
  gets(size: number): Promise<void> {
    return this.until(() => (this.asked?.size ?? -1) >= size, `${size} octets at the client`);
  }

  /** What was sent has been read by the other side. */
  async settle(): Promise<void> {
    for (let count = 0; count < TURNS; count++) await turn();
  }

  /** Time passes. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    await this.site.clock.advance(ms);
    await this.settle();
  }

  /** Nothing happens before `ms` are over; what happens then, or until `latest`, is the outcome. */
  async deadline(ms: number, latest: number = ms): Promise<void> {
    await this.pass(ms - BEFORE_MS);
    expect(this.isOver, `over before ${ms} ms: ${this.#describe()}`).toBe(false);
    await this.pass(latest - ms + 2 * BEFORE_MS);
    await this.until(() => this.isOver, `the end after ${latest} ms`);
  }

  /** Sends until nothing is taken any more. */
  async fill(sender: { pour(): number }): Promise<void> {
    let last = performance.now();
    for (let turns = 0; turns < STUCK_TURNS || performance.now() - last < STUCK_MS; turns++) {
      if (sender.pour() > 0) {
        last = performance.now();
        turns = 0;
      }
      await turn();
    }
  }

  /** The proxy has done with the request, or with the connection that has brought none. */
  get isOver(): boolean {
    const { requests, active } = this.site.stats;
    if (this.asked === undefined || requests === 0) return this.client.wire.ending !== undefined;
    return active === 0;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited in vain for ${what}: ${this.#describe()}`);
      await turn();
    }
  }

  /** Waits until everything is as it should be, and for what comes after. */
  async expect(wanted: Seen): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!isDeepStrictEqual(this.#seen(), wanted) && performance.now() < end) await turn();
    await this.settle();
    expect(this.#seen(), this.#describe()).toEqual(wanted);
    expect(this.client.anomalies, 'the client got what it must not get').toEqual([]);
    expect(this.origin.anomalies, 'the origin got what it must not get').toEqual([]);
  }

  /** The proxy serves whoever comes next, by the same connection if that was kept. */
  async expectService(wanted: Seen): Promise<void> {
    await this.origin.recover();
    const usable = wanted.downstream === 'kept' && !this.client.partial;
    const client = usable ? this.client : await this.connect();
    const next = client.ask('GET', PLAIN_PATH);
    await this.until(() => next.view.startsWith('answer') || client.wire.ending !== undefined, 'the next answer');
    expect(next.view, this.#describe()).toBe('answer 200 ok');
  }

  /** Everything ends, and nothing is left: request, connection, timer, socket. */
  async close(): Promise<void> {
    for (const { wire } of this.#clients) wire.destroy();
    await this.pass(LINGER_MS);
    await this.until(() => this.site.openConnections === 0, 'the end of all client connections');
    const { active, upstream } = this.site.stats;
    const left = { active, upstream: upstream.active, waiting: upstream.waiting, streams: upstream.h2Streams };
    expect(left, this.#describe()).toEqual({ active: 0, upstream: 0, waiting: 0, streams: 0 });
    await this.until(() => this.origin.open.length === upstream.idle, `${upstream.idle} upstream connections`);
    await this.site.stop();
    await this.pass(LINGER_MS);
    expect(this.site.stats.upstream, this.#describe()).toMatchObject({ idle: 0, h2Connections: 0 });
    expect(this.site.clock.wheel.size, 'timers that are left').toBe(0);
    await this.origin.close();
    await this.#leaks.assertClean();
  }

  /** Lets go of everything after a failure. */
  async abandon(): Promise<void> {
    for (const { wire } of this.#clients) wire.destroy();
    await this.origin.close();
    await this.site.stop();
  }

  async #warm(): Promise<void> {
    const client = await this.connect();
    const plain = client.ask('GET', PLAIN_PATH);
    await this.until(() => plain.view === 'answer 200 ok', 'the answer that warms the pool');
    client.wire.destroy();
    await this.until(() => this.site.openConnections === 0, 'the end of the client that warms the pool');
  }

  #seen(): Seen {
    const { upstream } = this.site.stats;
    const { requests } = this.origin;
    const view = this.asked?.view ?? (this.client.wire.ending === undefined ? 'waiting' : 'nothing');
    return {
      client: (this.clientLeft || this.cancelled) && !view.startsWith('answer') ? 'left' : view,
      downstream: this.clientLeft ? 'left' : this.client.wire.ending === undefined ? 'kept' : 'ended',
      upstream: requests[0]?.fate ?? 'none',
      log: [...this.site.log],
      attempts: requests.length,
      opened: upstream.connects,
      idle: upstream.idle,
    };
  }

  #describe(): string {
    const { active, upstream } = this.site.stats;
    return JSON.stringify({ ...this.#seen(), active, pool: upstream, timers: this.site.clock.wheel.size });
  }
}
