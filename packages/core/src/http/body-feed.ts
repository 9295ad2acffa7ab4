/**
 * Feeds the body of a virtual request from an iterable: one piece at a time, and none while nobody wants it.
 */
import { CirqueError } from '@cirque/error';
import type { VirtualServerSession } from './virtual-server-session.ts';

/** Where the bytes come from: a generator, a Node stream, a web stream. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** See the file's head. Its maker passes on what the session's sink is told. */
export class BodyFeed {
  readonly #session: VirtualServerSession;
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #onError: (error: CirqueError) => void;
  #paused: PromiseWithResolvers<void> | undefined = undefined;
  #stopped = false;

  /**
   * @param onError told when the source fails; the session is told by then.
   * @throws TypeError when the source is no iterable.
   */
  constructor(session: VirtualServerSession, source: ByteSource, onError: (error: CirqueError) => void = () => {}) {
    this.#session = session;
    this.#iterator = iteratorOf(source);
    this.#onError = onError;
  }

  /** Begins to read. Call it when the application has the session. */
  start(): void {
    this.#run().catch((thrown: unknown) => {
      if (this.#stopped) return;
      const error = CirqueError.from(thrown, 'ReadError', 'Downstream');
      this.#session.clientGone(error);
      this.#onError(error);
    });
  }

  /** For {@link VirtualSink.onPause}. */
  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  /** For {@link VirtualSink.onResume}. */
  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /** For {@link VirtualSink.onFinish}: gives the source up, unless it is at its end. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.resume();
    // A source that fails to end, or was never begun, concerns nobody any more.
    this.#giveUp().catch(() => undefined);
  }

  async #giveUp(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#paused?.promise;
      if (this.#stopped) return;
      const { done, value } = await this.#iterator.next();
      if (this.#stopped) return;
      if (done === true) {
        this.#session.feedEnd();
        return;
      }
      const bytes = bytesOf(value);
      this.#session.feedBody(bytes, 0, bytes.length);
    }
  }
}

function iteratorOf(source: ByteSource): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = source as Partial<
    AsyncIterable<Uint8Array> & Iterable<Uint8Array>
  >;
  const iterator = async?.call(source) ?? sync?.call(source);
  if (iterator === undefined)
    throw new TypeError(`a body is ${typeof source}: expected text, bytes or an iterable of bytes`);
  return iterator;
}

function bytesOf(piece: unknown): Buffer {
  if (Buffer.isBuffer(piece)) return piece;
  if (piece instanceof Uint8Array) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  if (typeof piece === 'string') return Buffer.from(piece);
  throw new TypeError(`a piece of a body is ${typeof piece}: expected bytes`);
}
