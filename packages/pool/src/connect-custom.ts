/**
 * Lets the user's own function make the byte stream of a peer, and trusts it in nothing.
 */
import type { Duplex } from 'node:stream';
import { CirqueError, fromNodeError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { type Address, formatAddress, Stream } from '@cirque/transport';
import { boundOpening } from './bounded-opening.ts';
import type { CustomConnect } from './peer-options.ts';

/** What one attempt needs. */
export interface CustomAttempt {
  readonly connect: CustomConnect;
  readonly address: Address;
  /** 0: no deadline of its own. */
  readonly timeoutMs: number;
  /** Ends the waiting, and is passed on. */
  readonly signal: AbortSignal;
  readonly wheel?: TimerWheel | undefined;
}

/**
 * Calls the function and answers the stream it made, not started. A stream that comes too late is destroyed.
 *
 * @throws CirqueError, source Upstream: ConnectTimedout, what the function threw if it was a CirqueError, else the type of
 * a connect error (ConnectError if it is nothing that Node knows).
 */
export async function connectCustom(attempt: CustomAttempt): Promise<Stream> {
  const { connect, address, timeoutMs, signal, wheel } = attempt;
  const what = `connecting to ${formatAddress(address)}`;
  // Async, so that what is thrown at once is a rejection as well.
  const opening = (async () => streamOf(await connect(address, signal)))();
  try {
    return await boundOpening(opening, { timeoutMs, signal, wheel, what });
  } catch (error) {
    if (!CirqueError.is(error)) throw fromNodeError(error, 'connect', 'Upstream', what);
    throw CirqueError.from(error, 'ConnectError', 'Upstream');
  }
}

function streamOf(duplex: Duplex): Stream {
  if (!isDuplex(duplex)) throw new TypeError('customConnect did not answer a Duplex');
  const stream = new Stream(duplex, 'Upstream');
  // Its close has been announced already, to nobody: a session would wait for it for ever.
  if (duplex.destroyed || duplex.writableEnded || duplex.readableEnded) {
    stream.destroy();
    throw new Error('customConnect answered a stream that is closed');
  }
  return stream;
}

function isDuplex(value: unknown): value is Duplex {
  const duplex = value as Partial<Duplex> | null | undefined;
  return typeof duplex?.write === 'function' && typeof duplex.read === 'function' && typeof duplex.on === 'function';
}
