/**
 * The facts of one UDP session: its numbers, and how they are counted, for itself and for the service.
 */
import type { RemoteInfo } from 'node:dgram';
import type { Clock } from '@cirque/timeout';
import type { InetAddress } from '@cirque/transport';
import { newSessionId } from '../session-id.ts';
import type { UdpCloseReason } from '../udp-session.ts';
import type { UdpCounters } from './udp-counters.ts';

/** See the file's head. The part of a session that does nothing. */
export class FlowFacts {
  readonly id: string = newSessionId();
  readonly client: RemoteInfo;
  readonly localAddress: InetAddress;
  readonly startedAt: number = Date.now();
  attempts = 0;
  upstream: InetAddress | undefined;
  datagramsFromClient = 0;
  bytesFromClient = 0;
  datagramsToUpstream = 0;
  bytesToUpstream = 0;
  datagramsFromUpstream = 0;
  bytesFromUpstream = 0;
  datagramsToClient = 0;
  bytesToClient = 0;
  firstAnswerMs: number | undefined;
  reason: UdpCloseReason | undefined;
  readonly #clock: Clock;
  readonly #counters: UdpCounters;
  readonly #began: number;
  #ended: number | undefined;

  constructor(client: RemoteInfo, localAddress: InetAddress, counters: UdpCounters, clock: Clock) {
    this.client = client;
    this.localAddress = localAddress;
    this.#counters = counters;
    this.#clock = clock;
    this.#began = clock.now();
  }

  get clientAddress(): InetAddress {
    const { address, port } = this.client;
    return { host: plainAddress(address), port };
  }

  get durationMs(): number {
    return (this.#ended ?? this.#clock.now()) - this.#began;
  }

  protected noteEnd(reason: UdpCloseReason): void {
    this.reason = reason;
    this.#ended = this.#clock.now();
  }

  protected countFromClient(bytes: number): void {
    this.datagramsFromClient += 1;
    this.bytesFromClient += bytes;
    this.#counters.fromClient += 1;
    this.#counters.bytesFromClient += bytes;
  }

  protected countToUpstream(bytes: number): void {
    this.datagramsToUpstream += 1;
    this.bytesToUpstream += bytes;
    this.#counters.toUpstream += 1;
    this.#counters.bytesToUpstream += bytes;
  }

  protected countFromUpstream(bytes: number): void {
    this.datagramsFromUpstream += 1;
    this.bytesFromUpstream += bytes;
    this.#counters.fromUpstream += 1;
    this.#counters.bytesFromUpstream += bytes;
    this.firstAnswerMs ??= this.durationMs;
  }

  protected countToClient(bytes: number): void {
    this.datagramsToClient += 1;
    this.bytesToClient += bytes;
    this.#counters.toClient += 1;
    this.#counters.bytesToClient += bytes;
  }
}

/** An IPv4 address that an IPv6 socket has received from, as it is. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
