/**
 * One connection between predecessor and successor: messages out, messages in, and the end of it.
 *
 * Whether bytes are read by Node.js or by polling (descriptor-poll.ts) is decided when it is made. Every waiting has a
 * deadline, and closing the channel ends all of them.
 */
import type { Socket } from 'node:net';
import { descriptorOf, type Sys } from '@cirque/sys';
import { withDeadline } from './deadline.ts';
import { DescriptorPoll } from './descriptor-poll.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { hasClosed, refusal, sentenceOf, upgradeError } from './upgrade-error.ts';
import { type MessageOf, type UpgradeMessage, upgradeMessage } from './upgrade-message.ts';

/** How long the other side may take to read what is sent, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;
/** How long the other side may take to read the end of the connection, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** Messages over one socket. */
export class UpgradeChannel {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #messages: UpgradeMessage[] = [];
  #poll: DescriptorPoll | undefined;
  #ended: Error | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * @param socket connected. With `sys` it must be paused and never have been read.
   * @param sys receives descriptors, until {@link readPlainly}.
   */
  constructor(socket: Socket, sys?: Sys) {
    this.#socket = socket;
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end());
    if (sys === undefined) {
      this.#readStream();
    } else {
      this.#poll = new DescriptorPoll(sys, () => descriptorOf(socket), {
        bytes: (bytes) => this.#take(bytes),
        end: (error) => this.#end(error),
      });
    }
  }

  /** The number of its descriptor; undefined when it is closed. */
  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  /** The descriptors that came so far; they belong to the caller. */
  takeDescriptors(): number[] {
    return this.#poll?.take() ?? [];
  }

  /** No more descriptors are expected: from now on Node.js reads, which needs no timer. */
  readPlainly(): void {
    if (this.#poll === undefined || this.#ended !== undefined) return;
    this.#poll.stop();
    this.#poll = undefined;
    this.#readStream();
  }

  /** Resolves when the system has taken the message. */
  async send(message: UpgradeMessage): Promise<void> {
    const frame = encodeFrame(message);
    if (this.#ended !== undefined) throw this.#ended;
    const written = new Promise<void>((resolve, reject) => {
      this.#socket.write(frame, (error) => (error == null ? resolve() : reject(error)));
    });
    await withDeadline(written, SEND_TIMEOUT_MS, 'the other side did not read');
  }

  /**
   * The next message, which must be of one of these types.
   *
   * @param what the beginning of the sentence when it does not come: "the predecessor sent no table".
   * @throws CirqueError when it does not come in time, is another one, is a refusal, or the connection ends.
   */
  async receive<T extends UpgradeMessage['type']>(
    types: readonly T[],
    timeoutMs: number,
    what: string,
  ): Promise<MessageOf<T>> {
    const message = await withDeadline(this.#next(), timeoutMs, what);
    if (message.type === 'refuse') throw refusal(`the other process refused: ${message.reason}`);
    if (!(types as readonly string[]).includes(message.type)) {
      throw upgradeError(`${what}, but a message of type ${message.type}`);
    }
    return message as MessageOf<T>;
  }

  /** Tells the other side why nothing comes of it, and closes. Never rejects. */
  async refuse(reason: unknown): Promise<void> {
    await this.send({ type: 'refuse', reason: sentenceOf(reason).slice(0, 4_096) }).catch(() => {});
    this.close();
  }

  /** True when the connection has ended, whoever ended it. */
  get closed(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves when the connection has ended, whoever ended it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** True when the other side has said no, which may not have been received yet. */
  get refused(): boolean {
    return this.#messages.some(({ type }) => type === 'refuse');
  }

  /** Ends the connection; what was sent is delivered. */
  close(): void {
    this.#end();
  }

  /** Ends the connection with an error for whoever waits. */
  fail(error: Error): void {
    this.#end(error);
  }

  #readStream(): void {
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('end', () => this.#end());
    this.#socket.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#ended !== undefined) return;
    try {
      for (const value of this.#reader.push(bytes)) this.#messages.push(upgradeMessage(value));
      this.#waiting?.resolve();
    } catch (error) {
      this.#end(error);
    }
  }

  async #next(): Promise<UpgradeMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#ended !== undefined) throw this.#ended;
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
  }

  #end(error?: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = error instanceof Error ? error : hasClosed();
    this.#poll?.stop();
    this.#waveGoodbye();
    this.#waiting?.resolve();
    this.#over.resolve();
  }

  /** Lets the other side read what was sent, and closes when it has closed. A reset would take the last words away. */
  #waveGoodbye(): void {
    const socket = this.#socket;
    socket.once('end', () => socket.destroy());
    const late = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
    socket.once('close', () => clearTimeout(late));
    socket.resume().end();
    if (socket.readableEnded) socket.destroySoon();
  }
}
