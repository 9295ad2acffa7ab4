/**
 * Clients that make exchanges one after the other until they are told to stop: who answered when, and what failed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './site.ts';

/** How long a goal may take to be reached. */
const PATIENCE_MS = 30_000;
/** Between two exchanges of a client: the machine is not for them alone. */
const PAUSE_MS = 2;

/** An exchange that went well. */
export interface Answer {
  readonly name: string;
  /** When it began and when it ended, by performance.now(). */
  readonly begun: number;
  readonly at: number;
}

/** One that did not. */
interface Failure {
  readonly message: string;
  /** When it began, by performance.now(). */
  readonly begun: number;
}

export class Load {
  readonly answers: Answer[] = [];
  readonly #failures: Failure[] = [];
  readonly #clients: Promise<unknown>;
  #isOver = false;

  /** @param exchange answers who has answered. */
  constructor(site: Site, clients: number, exchange: () => Promise<string>) {
    this.#clients = Promise.all(Array.from({ length: clients }, () => this.#run(exchange)));
    site.atEnd(() => this.stop());
  }

  /** What went wrong, in words. */
  get failures(): string[] {
    return this.failuresSince(0);
  }

  /** What went wrong in exchanges that began after this time. */
  failuresSince(time: number): string[] {
    return this.#failures.filter(({ begun }) => begun > time).map(({ message }) => message);
  }

  /** Waits until so many more exchanges have ended. */
  async more(count: number): Promise<void> {
    const goal = this.#ended + count;
    await this.until(() => this.#ended >= goal, `${count} more exchanges`);
  }

  /** Waits until it is so, while the load goes on. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const latest = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      if (performance.now() > latest) throw new Error(`not seen: ${what}; failures: ${this.failures.slice(0, 5)}`);
      await sleep(5);
    }
  }

  /** Waits until this server has answered an exchange that ends from now on. */
  async answeredBy(name: string): Promise<number> {
    const from = this.answers.length;
    await this.until(() => this.answers.slice(from).some((answer) => answer.name === name), `an answer of ${name}`);
    return this.answers.slice(from).find((answer) => answer.name === name)?.at ?? 0;
  }

  /** The share of this server among the answers of a time. */
  share(name: string, from: number, to: number): number {
    const all = this.answers.filter(({ at }) => at >= from && at < to);
    return all.filter((answer) => answer.name === name).length / all.length;
  }

  /** Resolves when the exchanges under way have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#clients;
  }

  get #ended(): number {
    return this.answers.length + this.#failures.length;
  }

  async #run(exchange: () => Promise<string>): Promise<void> {
    while (!this.#isOver) {
      const begun = performance.now();
      try {
        const name = await exchange();
        this.answers.push({ name, begun, at: performance.now() });
      } catch (error) {
        this.#failures.push({ message: (error as Error).message, begun });
      }
      await sleep(PAUSE_MS);
    }
  }
}
