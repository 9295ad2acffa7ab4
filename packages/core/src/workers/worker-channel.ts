/**
 * Calls between the main thread and a worker over a MessagePort: the main thread calls and is answered; the worker
 * tells. Knows nothing of what is said.
 */
import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { CirqueError, type ErrorType } from '@cirque/error';

/** An error on its way between threads, which keeps neither classes nor causes. */
export interface PlainError {
  readonly type: ErrorType;
  readonly message: string;
  readonly stack: string | undefined;
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown; readonly error: PlainError | undefined }
  | { readonly kind: 'tell'; readonly name: string; readonly argument: unknown };

/** Functions that the other side may call, by name. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

/** One end of the connection between two threads. */
export class WorkerChannel {
  readonly #port: MessagePort;
  readonly #answers: Answers;
  readonly #onFailed: (name: string, error: unknown) => void;
  readonly #open: Map<number, PromiseWithResolvers<unknown>> = new Map();
  #last = 0;
  #closed = false;

  /**
   * @param answers what the other side may call or tell; what is told is answered by nobody.
   * @param onFailed called when something that was told went wrong.
   */
  constructor(port: MessagePort, answers: Answers, onFailed: (name: string, error: unknown) => void) {
    this.#port = port;
    this.#answers = answers;
    this.#onFailed = onFailed;
    port.on('message', (message: Message) => this.#received(message));
    port.on('close', () => this.#lost());
    port.unref();
  }

  /** Calls a function of the other side. Rejects with its error, or when the other side is gone. */
  call<T>(name: string, argument?: unknown, transfer: Transferable[] = []): Promise<T> {
    if (this.#closed) return Promise.reject(gone());
    this.#last += 1;
    const id = this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#open.set(id, waiting);
    this.#port.postMessage({ kind: 'call', id, name, argument } satisfies Message, transfer);
    return waiting.promise as Promise<T>;
  }

  /** Lets the other side know. */
  tell(name: string, argument?: unknown): void {
    if (!this.#closed) this.#port.postMessage({ kind: 'tell', name, argument } satisfies Message);
  }

  /** Hears what the other side has said before it ended: its messages may arrive after the news of its end. */
  hearLast(): void {
    for (let last = receiveMessageOnPort(this.#port); last !== undefined; last = receiveMessageOnPort(this.#port))
      this.#received(last.message as Message);
  }

  close(): void {
    this.#port.close();
    this.#lost();
  }

  #received(message: Message): void {
    if (message.kind === 'answer') this.#answered(message.id, message.value, message.error);
    else if (message.kind === 'tell') void this.#told(message.name, message.argument);
    else void this.#answer(message.id, message.name, message.argument);
  }

  async #told(name: string, argument: unknown): Promise<void> {
    try {
      await this.#run(name, argument);
    } catch (error) {
      this.#onFailed(name, error);
    }
  }

  #answered(id: number, value: unknown, error: PlainError | undefined): void {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(revive(error));
  }

  async #answer(id: number, name: string, argument: unknown): Promise<void> {
    let answer: Message;
    try {
      answer = { kind: 'answer', id, value: await this.#run(name, argument), error: undefined };
    } catch (error) {
      answer = { kind: 'answer', id, value: undefined, error: plain(error) };
    }
    if (!this.#closed) this.#port.postMessage(answer);
  }

  #run(name: string, argument: unknown): unknown {
    const answer = this.#answers[name];
    if (answer === undefined) throw new Error(`nobody answers ${JSON.stringify(name)} in this thread`);
    return answer(argument as never);
  }

  #lost(): void {
    this.#closed = true;
    for (const waiting of this.#open.values()) waiting.reject(gone());
    this.#open.clear();
  }
}

/** An error as data. */
export function plain(error: unknown): PlainError {
  if (CirqueError.is(error)) return { type: error.type, message: error.context, stack: error.stack };
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  return { type: 'InternalError', message, stack };
}

/** An error of another thread; its cause has the stack that it had there. */
export function revive({ type, message, stack }: PlainError): CirqueError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return CirqueError.internal(type, message, cause);
}

function gone(): CirqueError {
  return CirqueError.internal('InternalError', 'the worker thread is gone');
}
