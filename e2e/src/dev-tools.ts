/**
 * A page of a browser over its DevTools protocol: calls, answers, events.
 */
const CALL_TIMEOUT_MS = 15_000;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class DevTools {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Waiter>();
  readonly #events = new Map<string, (() => void)[]>();
  #session: string | undefined;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#received(JSON.parse(String(data)) as Message));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('the browser has closed its DevTools'));
    });
  }

  /** Opens an empty page. */
  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`cannot connect to ${url}`)));
    });
    const tools = new DevTools(socket);
    const { targetId } = await tools.call<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const attached = await tools.call<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    tools.#session = attached.sessionId;
    await tools.call('Page.enable');
    return tools;
  }

  call<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), CALL_TIMEOUT_MS);
    this.#calls.set(id, { resolve, reject });
    const sessionId = this.#session;
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    return promise.finally(() => {
      clearTimeout(timer);
      this.#calls.delete(id);
    }) as Promise<T>;
  }

  /** Resolves with the next event of this name. */
  event(name: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#events.get(name) ?? [];
      waiting.push(resolve);
      this.#events.set(name, waiting);
    });
  }

  close(): void {
    this.#socket.close();
  }

  #received({ id, method, result, error }: Message): void {
    if (method !== undefined) for (const resolve of this.#events.get(method)?.splice(0) ?? []) resolve();
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (error !== undefined) call?.reject(new Error(error.message));
    else call?.resolve(result);
  }
}
