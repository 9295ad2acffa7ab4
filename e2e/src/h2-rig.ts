/**
 * The gateway between an origin and clients, for the HTTP/2 cases of both sides.
 *
 * The environment variable E2E_H2_SUBJECT replaces the gateway of the server side by another program: a JSON array of
 * command and arguments in which `{upstream}` stands for the origin's address.
 */
import { fileURLToPath } from 'node:url';
import { LeakCheck } from '@cirque/testing';
import { expect } from 'vitest';
import { H2Client, type H2ClientOptions, request } from './h2-client.ts';
import { H2Origin, PROBE_PATH } from './h2-origin.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { Subject } from './subject.ts';
import { get, WireClient } from './wire-client.ts';

const GATEWAY = fileURLToPath(new URL('../h2/gateway.ts', import.meta.url));

function gateway(port: number, flags: readonly string[]): Promise<Subject> {
  const upstream = `127.0.0.1:${port}`;
  const replaced = process.env.E2E_H2_SUBJECT;
  if (replaced && flags.length === 0) {
    return Subject.launch((JSON.parse(replaced) as string[]).map((word) => word.replaceAll('{upstream}', upstream)));
  }
  return Subject.launch([process.execPath, '--conditions=@cirque/source', GATEWAY, '--upstream', upstream, ...flags]);
}

/** What both rigs have: an origin, a gateway that is started anew when it has died, clients that are let go. */
abstract class GatewayRig<Origin extends { readonly port: number; close(): Promise<void> }> {
  readonly origin: Origin;
  #subject: Subject;
  readonly #flags: readonly string[];
  readonly #leaks: LeakCheck;
  #clients: { destroy(): void }[] = [];

  protected constructor(origin: Origin, subject: Subject, flags: readonly string[], leaks: LeakCheck) {
    this.origin = origin;
    this.#subject = subject;
    this.#flags = flags;
    this.#leaks = leaks;
  }

  get subject(): Subject {
    return this.#subject;
  }

  protected static launch(origin: { readonly port: number }, flags: readonly string[]): Promise<Subject> {
    return gateway(origin.port, flags);
  }

  /** One death is one failed test: the next one gets a new process. */
  async revive(): Promise<void> {
    if (!this.subject.alive) this.#subject = await gateway(this.origin.port, this.#flags);
  }

  async h2(options?: H2ClientOptions): Promise<H2Client> {
    const client = await H2Client.connect(this.subject.port, options);
    this.#clients.push({ destroy: () => client.wire.destroy() });
    return client;
  }

  async h1(methods: readonly string[] = []): Promise<WireClient> {
    const client = await WireClient.connect(this.subject.port, { methods });
    this.#clients.push(client);
    return client;
  }

  protected release(): void {
    for (const client of this.#clients) client.destroy();
    this.#clients = [];
  }

  async stop(): Promise<void> {
    this.release();
    await this.subject.stop();
    await this.origin.close();
    await this.#leaks.assertClean();
  }
}

/** HTTP/2 clients, an HTTP/1 origin: the proxy as a server. */
export class H2ServerRig extends GatewayRig<RecordingOrigin> {
  static async start(...flags: string[]): Promise<H2ServerRig> {
    const leaks = LeakCheck.start();
    const origin = await RecordingOrigin.listen();
    return new H2ServerRig(origin, await GatewayRig.launch(origin, flags), flags, leaks);
  }

  /** Requests that came to the origin whole, those of probes not counted. */
  get requests(): RecordingOrigin['requests'] {
    return this.origin.requests.filter(({ target }) => target !== PROBE_PATH);
  }

  /** The proxy is the process it was and serves a new client. */
  async expectService(): Promise<void> {
    expect(this.subject.alive, `the proxy has ended: ${this.subject.output}`).toBe(true);
    const client = await this.h2();
    const answer = await client.finished(client.ask(request(PROBE_PATH)));
    expect(answer.status, `probe on a new connection: ${client.describe()}`).toBe(200);
  }

  endTest(): void {
    this.release();
    const { anomalies, connections } = this.origin;
    // A paused one would never see that the proxy has left.
    for (const { wire } of connections) wire.resume();
    this.origin.forget();
    expect(anomalies, 'the origin got bytes outside the grammar').toEqual([]);
  }
}

/** HTTP/1 clients, an HTTP/2 origin: the proxy as a client. */
export class H2ClientRig extends GatewayRig<H2Origin> {
  static async start(...flags: string[]): Promise<H2ClientRig> {
    const leaks = LeakCheck.start();
    const origin = await H2Origin.listen();
    const all = ['--h2', ...flags];
    return new H2ClientRig(origin, await GatewayRig.launch(origin, all), all, leaks);
  }

  async expectService(): Promise<void> {
    expect(this.subject.alive, `the proxy has ended: ${this.subject.output}`).toBe(true);
    this.origin.script = {};
    await this.probe();
  }

  /** A request on a new connection that the origin answers whatever its script is. */
  async probe(): Promise<void> {
    const client = await this.h1();
    client.send(get(PROBE_PATH));
    const answer = await client.answer();
    expect(answer.status, `probe on a new connection: ${client.describe()}; ${this.origin.describe()}`).toBe(200);
  }

  endTest(): void {
    this.release();
    const { anomalies } = this.origin;
    this.origin.reset();
    expect(anomalies, 'the origin got what an HTTP/2 client may not send').toEqual([]);
  }
}
