/**
 * Connects from the local address, and one of the local ports, that a peer asks for.
 *
 * A port is tried by binding it: the system alone knows which are free. The ports of a range are taken in turn, so that
 * one that was just closed, and is kept by the system for a while, comes last.
 */
import { CirqueError } from '@cirque/error';
import type { Stream } from '@cirque/transport';
import { type ConnectAttempt, connectTcp } from './connect-tcp.ts';
import type { BindTo, PortRange } from './tcp-peer-options.ts';

/** Ports that are tried for one connection. Each costs some ten microseconds, and no packet. */
const MAX_TRIED = 128;

/** Takes ports in turn; one for all ranges of a connector. */
export class SourcePorts {
  readonly #random: () => number;
  #turn: number | undefined;

  /** @param random from 0 to 1: tells where to begin, since the ports of our predecessor may be in use still. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Connects from where `bindTo` says, with its fallback.
   *
   * @throws CirqueError as {@link connectTcp} does; of type BindError when no port of the range is free.
   */
  async connect(attempt: ConnectAttempt, { address, portRange, fallback = false }: BindTo): Promise<Stream> {
    const ways: (() => Promise<Stream>)[] = [];
    if (portRange !== undefined) ways.push(() => this.#fromRange({ ...attempt, localAddress: address }, portRange));
    if (portRange === undefined || fallback) ways.push(() => connectTcp({ ...attempt, localAddress: address }));
    if (fallback) ways.push(() => connectTcp(attempt));
    return firstToBind(ways);
  }

  async #fromRange(attempt: ConnectAttempt, { from, to }: PortRange): Promise<Stream> {
    const size = to - from + 1;
    const tries = Math.min(size, MAX_TRIED);
    let cause: unknown;
    for (let tried = 0; tried < tries; tried += 1) {
      try {
        return await connectTcp({ ...attempt, localPort: from + (this.#next() % size) });
      } catch (error) {
        if (!isTaken(error)) throw error;
        cause = error;
      }
    }
    const range = `from ${from} to ${to} of ${attempt.localAddress}`;
    throw CirqueError.upstream('BindError', `no port is free ${range}: ${tries} were tried`, cause);
  }

  #next(): number {
    this.#turn = this.#turn === undefined ? Math.floor(this.#random() * 65_536) : this.#turn + 1;
    return this.#turn;
  }
}

/** Goes on with the next way when the local side was at fault. */
async function firstToBind(ways: readonly (() => Promise<Stream>)[]): Promise<Stream> {
  let failure: unknown;
  for (const way of ways) {
    try {
      return await way();
    } catch (error) {
      failure = error;
      if (!CirqueError.is(error) || error.type !== 'BindError') break;
    }
  }
  throw failure;
}

/** The port is in use, or it is for this upstream; an address that is not ours is told by `bind`. */
function isTaken(error: unknown): boolean {
  const { code, syscall } = ((error as CirqueError).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || (code === 'EADDRNOTAVAIL' && syscall === 'connect');
}
