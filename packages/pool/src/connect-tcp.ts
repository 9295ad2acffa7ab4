/**
 * Opens one TCP or unix connection. One attempt, one address, one deadline; with callbacks, or as a promise.
 */
import { connect, isIPv6, type NetConnectOpts, type Socket } from 'node:net';
import { CirqueError, fromNodeError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import {
  type Address,
  applyNodeOptions,
  formatAddress,
  isUnixAddress,
  Stream,
  switchableOnread,
  type TcpOptionPlan,
} from '@cirque/transport';
import { keepReadable } from './early-answer.ts';
import { needsNativeSocket, openNativeSocket } from './native-socket.ts';

/** What one attempt needs. */
export interface ConnectAttempt {
  /** An IP address with its port, or a unix path. */
  readonly address: Address;
  /** 0: no deadline of its own. */
  readonly timeoutMs: number;
  /** Of the family of the address; of no meaning for a unix path, as are the next two. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly options?: TcpOptionPlan | undefined;
  /** The socket is going to be wrapped (TLS): it gets ordinary reads, which the wrapper can take over. */
  readonly toBeWrapped?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly wheel?: TimerWheel | undefined;
}

/** Who waits for a connection. One of the two is called, once, and not before the call that asked has returned. */
export interface OpeningWaiter {
  /** The stream is not started. */
  onOpened(stream: Stream): void;
  onOpenFailed(error: CirqueError): void;
}

/** A connection that is being opened. */
export interface Opening {
  /** Gives it up: the waiter is not called any more, and nothing stays open. After the end: of no effect. */
  cancel(): void;
}

/**
 * Connects, and tells the waiter: no promise, no signal. Of the attempt the `signal` is not looked at.
 *
 * @returns the errors given to the waiter are those of {@link connectTcp}.
 */
export function openTcp(attempt: ConnectAttempt, waiter: OpeningWaiter): Opening {
  return new TcpOpening(attempt, waiter);
}

/**
 * Connects and answers the stream, not started.
 *
 * @throws CirqueError, source Upstream: ConnectRefused, ConnectTimedout, ConnectNoRoute, BindError when the local address
 * or port cannot be used, ConnectError when the signal aborts or for another reason, SocketError or InternalError when
 * this host lacks resources or rights, or the system does not take an option. Nothing was sent.
 */
export function connectTcp(attempt: ConnectAttempt): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const { signal } = attempt;
    const cancelled = (): void => reject(CirqueError.upstream('ConnectError', `${whereTo(attempt)} was cancelled`));
    if (signal?.aborted === true) {
      cancelled();
      return;
    }
    const settle = (): void => signal?.removeEventListener('abort', onAbort);
    const opening = openTcp(attempt, {
      onOpened: (stream) => {
        settle();
        resolve(stream);
      },
      onOpenFailed: (error) => {
        settle();
        reject(error);
      },
    });
    const onAbort = (): void => {
      opening.cancel();
      cancelled();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

class TcpOpening implements Opening {
  readonly #attempt: ConnectAttempt;
  #waiter: OpeningWaiter | undefined;
  #socket: Socket | undefined;
  #timer: Timer | undefined;
  #stream: Stream | undefined;

  constructor(attempt: ConnectAttempt, waiter: OpeningWaiter) {
    this.#attempt = attempt;
    this.#waiter = waiter;
    try {
      this.#socket = startConnecting(attempt, () => this.#stream);
    } catch (cause) {
      const error = fromNodeError(cause, 'connect', 'Upstream', CirqueError.is(cause) ? undefined : whereTo(attempt));
      process.nextTick(() => this.#fail(error));
      return;
    }
    this.#socket.on('connect', this.#onConnect);
    this.#socket.on('error', this.#onError);
    if (attempt.timeoutMs === 0) return;
    this.#timer = new Timer(this.#onTimeout, attempt.wheel);
    this.#timer.set(attempt.timeoutMs);
  }

  cancel(): void {
    if (this.#waiter === undefined) return;
    this.#waiter = undefined;
    this.#giveUp();
  }

  readonly #onConnect = (): void => {
    const socket = this.#settle() as Socket;
    const { options, toBeWrapped } = this.#attempt;
    if (options?.node !== undefined) applyNodeOptions(socket, options.node);
    const opened = new Stream(socket, 'Upstream', toBeWrapped !== true);
    this.#stream = opened;
    if (toBeWrapped !== true) keepReadable(socket, opened);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.onOpened(opened);
  };

  readonly #onError = (cause: Error): void =>
    this.#fail(fromNodeError(cause, phaseOf(cause, this.#attempt), 'Upstream', whereTo(this.#attempt)));

  readonly #onTimeout = (): void => this.#fail(CirqueError.upstream('ConnectTimedout', whereTo(this.#attempt)));

  #fail(error: CirqueError): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) return;
    this.#giveUp();
    waiter.onOpenFailed(error);
  }

  #giveUp(): void {
    const socket = this.#settle();
    socket?.on('error', ignore);
    socket?.destroy();
  }

  #settle(): Socket | undefined {
    const socket = this.#socket;
    this.#timer?.close();
    socket?.removeListener('connect', this.#onConnect);
    socket?.removeListener('error', this.#onError);
    return socket;
  }
}

function whereTo({ address }: ConnectAttempt): string {
  return `connecting to ${formatAddress(address)}`;
}

function startConnecting(attempt: ConnectAttempt, stream: () => Stream | undefined): Socket {
  const { address, localAddress, localPort, options } = attempt;
  const reads = attempt.toBeWrapped === true ? {} : { onread: switchableOnread(stream) };
  const common = { ...reads, allowHalfOpen: true, noDelay: true } as NetConnectOpts;
  if (isUnixAddress(address)) return connect({ ...common, path: address.path });
  const where = {
    host: address.host,
    port: address.port,
    autoSelectFamily: false,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  };
  const bound = localAddress !== undefined && localPort === undefined;
  const native = options?.native ?? [];
  if (!needsNativeSocket({ options: native, bound })) return connect({ ...common, ...where });
  const family = isIPv6(address.host) ? 6 : 4;
  return openNativeSocket({ family, options: native, bound }, common).connect(where);
}

/**
 * The local address is bound first, in the same call: the name of the system call tells which of the two failed. Or the
 * code does, where the system looks for a port, or tells that one is in use, only when it connects.
 */
function phaseOf({ syscall, code }: NodeJS.ErrnoException, { localAddress }: ConnectAttempt): 'bind' | 'connect' {
  if (syscall?.startsWith('bind') === true) return 'bind';
  return localAddress !== undefined && (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL') ? 'bind' : 'connect';
}

// The attempt was given up; what its socket says afterwards is of no interest.
function ignore(this: Socket): void {}
