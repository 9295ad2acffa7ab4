/**
 * Opens one TCP or unix connection. One attempt, one address, one deadline.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { CirqueError, fromNodeError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import {
  type Address,
  formatAddress,
  isUnixAddress,
  Stream,
  switchableOnread,
  type TcpKeepAlive,
} from '@cirque/transport';
import { keepReadable } from './early-answer.ts';

/** What one attempt needs. */
export interface ConnectAttempt {
  /** An IP address with its port, or a unix path. */
  readonly address: Address;
  /** 0: no deadline of its own. */
  readonly timeoutMs: number;
  /** Of the family of the address; of no meaning for a unix path, as is `keepAlive`. */
  readonly localAddress?: string | undefined;
  readonly keepAlive?: TcpKeepAlive | undefined;
  /** The socket is going to be wrapped (TLS): it gets ordinary reads, which the wrapper can take over. */
  readonly toBeWrapped?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly wheel?: TimerWheel | undefined;
}

/**
 * Connects and answers the stream, not started.
 *
 * @throws CirqueError, source Upstream: ConnectRefused, ConnectTimedout, ConnectNoRoute, BindError when the local address
 * cannot be used, ConnectError when the signal aborts or for another reason, SocketError or InternalError when this
 * host lacks resources or rights. Nothing was sent.
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
    const socket = connect(connectOptions(attempt, () => stream));
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
    const onError = (cause: Error): void => fail(fromNodeError(cause, phaseOf(cause), 'Upstream', where));
    const onConnect = (): void => {
      settle();
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

function connectOptions(attempt: ConnectAttempt, stream: () => Stream | undefined): NetConnectOpts {
  const { address, localAddress, keepAlive } = attempt;
  const reads = attempt.toBeWrapped === true ? {} : { onread: switchableOnread(stream) };
  const common = { ...reads, allowHalfOpen: true } as const;
  if (isUnixAddress(address)) return { ...common, path: address.path } as NetConnectOpts;
  return {
    ...common,
    host: address.host,
    port: address.port,
    noDelay: true,
    autoSelectFamily: false,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(keepAlive === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: keepAlive.idleMs }),
  } as NetConnectOpts;
}

/** The local address is bound first, in the same call; only the name of the system call tells which of the two failed. */
function phaseOf(cause: NodeJS.ErrnoException): 'bind' | 'connect' {
  return cause.syscall?.startsWith('bind') === true ? 'bind' : 'connect';
}

// The attempt was given up; what its socket says afterwards is of no interest.
function ignore(this: Socket): void {}
