/**
 * One recording origin with the proxy in front of it: what almost every test file starts once and ends at its end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { LeakCheck } from '@cirque/testing';
import { expect } from 'vitest';
import { RecordingOrigin } from './recording-origin.ts';
import { Subject } from './subject.ts';
import { get, WireClient, type WireClientOptions } from './wire-client.ts';

/** Target of the requests that ask whether the proxy still works. */
export const PROBE_TARGET = '/probe';

const LOOK_MS = 100;
const QUIET_LOOKS = 5;

export class Rig {
  readonly origin: RecordingOrigin;
  #subject: Subject;
  #clients: WireClient[] = [];
  #leaks: LeakCheck;

  private constructor(origin: RecordingOrigin, subject: Subject, leaks: LeakCheck) {
    this.#leaks = leaks;
    this.origin = origin;
    this.#subject = subject;
  }

  get subject(): Subject {
    return this.#subject;
  }

  static async start(): Promise<Rig> {
    const leaks = LeakCheck.start();
    const origin = await RecordingOrigin.listen();
    try {
      return new Rig(origin, await Subject.start(origin.port), leaks);
    } catch (error) {
      await origin.close();
      throw error;
    }
  }

  /** A connection to the proxy; `endTest()` lets go of it. */
  async connect(options?: WireClientOptions): Promise<WireClient> {
    const client = await WireClient.connect(this.subject.port, options);
    this.#clients.push(client);
    return client;
  }

  /** A new connection and one request on it. */
  async request(bytes: string | Buffer, options?: WireClientOptions): Promise<WireClient> {
    const client = await this.connect(options);
    client.send(bytes);
    return client;
  }

  /** The proxy is the process it was and serves a new client. */
  async expectService(): Promise<void> {
    expect(this.subject.alive, `the proxy has ended: ${this.subject.output}`).toBe(true);
    const client = await this.request(get(PROBE_TARGET));
    const answer = await client.answer();
    expect(answer.status, `probe on a new connection: ${client.describe()}`).toBe(200);
    client.destroy();
  }

  /** Waits until no byte has moved between clients, proxy and origin for half a second: back-pressure has set in. */
  async settled(): Promise<void> {
    const moved = (): number =>
      this.origin.connections.reduce((sum, { wire }) => sum + wire.receivedSize + wire.sentSize, 0) +
      this.#clients.reduce((sum, { wire }) => sum + wire.receivedSize + wire.sentSize, 0);
    let before = moved();
    for (let quiet = 0; quiet < QUIET_LOOKS; quiet++) {
      await pause(LOOK_MS);
      const now = moved();
      if (now !== before) quiet = -1;
      before = now;
    }
  }

  /** Plays something once, with a record of its own, and says in the error what it was. */
  async attempt(what: string, play: () => Promise<void>): Promise<void> {
    // One death is one failed test: the next one gets a new process.
    if (!this.subject.alive) this.#subject = await Subject.start(this.origin.port);
    try {
      await play();
      this.endTest();
    } catch (error) {
      this.#release();
      // Nothing of a failed attempt may reach the next one.
      await this.origin.breakAll();
      if (!this.subject.alive)
        throw new Error(`${what}: the proxy has ended: ${this.subject.output}`, { cause: error });
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  /** Closes the clients, checks that nothing ill-formed was ever sent to the origin, and starts a new record. */
  endTest(): void {
    const anomalies = this.#release();
    expect(anomalies, 'the origin got bytes outside the grammar').toEqual([]);
  }

  /** Lets go of everything the test held, and returns what was ill-formed at the origin. */
  #release(): readonly string[] {
    for (const client of this.#clients) client.destroy();
    this.#clients = [];
    const { anomalies, connections } = this.origin;
    for (const { reader, wire } of connections) if (reader.anomalies.length > 0) wire.reset();
    this.origin.forget();
    return anomalies;
  }

  /** Ends everything, and fails when a socket or a timer is left in this process. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.subject.stop();
    await this.origin.close();
    await this.#leaks.assertClean();
  }
}
