/**
 * Opens one TCP or unix connection. One attempt, one address, one deadline.
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
    const where = `connecting to ${formatAddress(attempt.address)}`;
    if (signal?.aborted === true) {
      reject(CirqueError.upstream('ConnectError', `${where} was cancelled`));
      return;
    }
    let stream: Stream | undefined;
    let socket: Socket;
    try {
      socket = startConnecting(attempt, () => stream);
    } catch (cause) {
      reject(fromNodeError(cause, 'connect', 'Upstream', CirqueError.is(cause) ? undefined : where));
      return;
    }
    const timer = new Timer(() => fail(CirqueError.upstream('ConnectTimedout', where)), attempt.wheel);
    const onAbort = (): void => fail(CirqueError.upstream('ConnectError', `${where} was cancelled`));
    const settle = (): void => {
      timer.close();
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
    };
    const fail = (error: CirqueError): void => {
      settle();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => fail(fromNodeError(cause, phaseOf(cause, attempt), 'Upstream', where));
    const onConnect = (): void => {
      settle();
      if (attempt.options?.node !== undefined) applyNodeOptions(socket, attempt.options.node);
      const opened = new Stream(socket, 'Upstream', attempt.toBeWrapped !== true);
      stream = opened;
      if (attempt.toBeWrapped !== true) keepReadable(socket, () => opened.handler);
      resolve(opened);
    };
    socket.once('connect', onConnect);
    socket.once('error', onError);
    if (attempt.timeoutMs > 0) timer.set(attempt.timeoutMs);
    signal?.addEventListener('abort', onAbort);
  });
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
