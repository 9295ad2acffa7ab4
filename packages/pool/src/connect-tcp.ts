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

/** What one attempt needs. */
export interface ConnectAttempt {
  /** An IP address with its port, or a unix path. */
  readonly address: Address;
  /** 0: no deadline of its own. */
  readonly timeoutMs: number;
  readonly localAddress?: string | undefined;
  readonly keepAlive?: TcpKeepAlive | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the wheel of this thread. */
  readonly wheel?: TimerWheel | undefined;
}

/**
 * Connects and answers the stream, not started.
 *
 * @throws CirqueError ConnectRefused, ConnectTimedout, ConnectNoRoute, BindError or ConnectError, source Upstream:
 * nothing was sent.
 */
export function connectTcp(attempt: ConnectAttempt): Promise<Stream> {
  return new Promise((resolve, reject) => {
    let stream: Stream | undefined;
    const where = formatAddress(attempt.address);
    const socket = connect(connectOptions(attempt, () => stream));
    const onTimeout = (): void =>
      fail(new CirqueError('ConnectTimedout', `connecting to ${where}`, { source: 'Upstream' }));
    const timer = new Timer(onTimeout, attempt.wheel);
    const onAbort = (): void => fail(CirqueError.upstream('ConnectError', `connecting to ${where} was cancelled`));
    const settle = (): void => {
      timer.close();
      attempt.signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
    };
    const fail = (error: CirqueError): void => {
      settle();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => fail(fromNodeError(cause, 'connect', 'Upstream', `connecting to ${where}`));
    const onConnect = (): void => {
      settle();
      stream = new Stream(socket, 'Upstream', true);
      resolve(stream);
    };
    socket.once('connect', onConnect);
    socket.once('error', onError);
    if (attempt.timeoutMs > 0) timer.set(attempt.timeoutMs);
    attempt.signal?.addEventListener('abort', onAbort);
    if (attempt.signal?.aborted === true) onAbort();
  });
}

function connectOptions(attempt: ConnectAttempt, stream: () => Stream | undefined): NetConnectOpts {
  const { address, localAddress, keepAlive } = attempt;
  const common = { onread: switchableOnread(stream), allowHalfOpen: true } as const;
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

// The attempt was given up; what its socket says afterwards is of no interest.
function ignore(this: Socket): void {}
