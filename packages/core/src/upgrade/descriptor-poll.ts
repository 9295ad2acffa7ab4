/**
 * Reads a unix socket together with the descriptors that come along, every few milliseconds.
 *
 * Node.js drops descriptors when it reads: the socket must be paused from the moment it is accepted. There is no event
 * for "readable" then, hence the timer; it runs for the few round trips of a hand-over.
 */
import type { Sys } from '@cirque/sys';
import { upgradeError } from './upgrade-error.ts';
import { MAX_SOCKETS } from './upgrade-message.ts';

const POLL_MS = 2;
const READ_BYTES = 64 * 1024;

/** What becomes of what is read. */
export interface PollListener {
  bytes(bytes: Buffer): void;
  /** The other side has closed, or reading failed. */
  end(error?: unknown): void;
}

/** Polls one socket until it is stopped or the other side closes. */
export class DescriptorPoll {
  readonly #sys: Sys;
  readonly #descriptor: () => number | undefined;
  readonly #listener: PollListener;
  readonly #timer: NodeJS.Timeout;
  #received: number[] = [];
  #stopped = false;

  /** @param descriptor asked each time: the number of a closed socket may mean another one soon. */
  constructor(sys: Sys, descriptor: () => number | undefined, listener: PollListener) {
    this.#sys = sys;
    this.#descriptor = descriptor;
    this.#listener = listener;
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  /** The descriptors that came so far, in order; they belong to the caller now. */
  take(): number[] {
    return this.#received.splice(0);
  }

  /** Reads no more, and closes the descriptors that nobody took. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const descriptor of this.take()) this.#sys.close(descriptor);
  }

  #poll(): void {
    try {
      while (!this.#stopped) {
        const socket = this.#descriptor();
        if (socket === undefined) return;
        const message = this.#sys.receiveDescriptors(socket, READ_BYTES);
        if (message === undefined) return;
        this.#received.push(...message.descriptors);
        if (this.#received.length > MAX_SOCKETS) throw upgradeError(`more than ${MAX_SOCKETS} descriptors came`);
        if (message.bytes.length === 0) {
          this.#end();
          return;
        }
        this.#listener.bytes(message.bytes);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error?: unknown): void {
    this.stop();
    this.#listener.end(error);
  }
}
