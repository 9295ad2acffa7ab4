/**
 * The facts of one connection, as its phases see them.
 */
import type { Digest, InetAddress, ProxyHeader, SocketDigest, Stream } from '@cirque/transport';
import { newSessionId } from '../session-id.ts';
import { checkCount } from '../stream-options.ts';
import type { CloseReason, StreamSession, UpstreamEnd } from '../stream-session.ts';
import type { Relay } from './relay.ts';

/** See the file's head. What is not of {@link StreamSession} belongs to the connection that has made it. */
export class TcpSession implements StreamSession {
  readonly client: Stream;
  readonly #close: (reason: CloseReason) => void;
  attempts = 0;
  upstream: UpstreamEnd | undefined;
  connectMs: number | undefined;
  firstByteMs: number | undefined;
  reason: CloseReason | undefined;
  /** Read before there was a relay. */
  firstBytes = 0;
  readonly #began: number = performance.now();
  #endedAfterMs: number | undefined;
  #relay: Relay | undefined;
  #id: string | undefined;
  #clientAddress: InetAddress | undefined;
  #localAddress: InetAddress | undefined;
  #stop: AbortController | undefined;
  #uploadRate = 0;
  #downloadRate = 0;

  constructor(client: Stream, close: (reason: CloseReason) => void) {
    this.client = client;
    this.#close = close;
  }

  get id(): string {
    this.#id ??= newSessionId();
    return this.#id;
  }

  get digest(): Digest {
    return this.client.digest;
  }

  get clientAddress(): InetAddress | undefined {
    this.#clientAddress ??= remoteOf(this.digest.socket);
    return this.#clientAddress;
  }

  get localAddress(): InetAddress | undefined {
    this.#localAddress ??= localOf(this.digest.socket);
    return this.#localAddress;
  }

  get proxyHeader(): ProxyHeader | undefined {
    return this.digest.proxyHeader;
  }

  get serverName(): string | undefined {
    return this.digest.ssl?.serverName;
  }

  get startedAt(): number {
    return this.client.establishedAt;
  }

  get bytesFromClient(): number {
    return this.#relay?.client.read ?? this.firstBytes;
  }

  get bytesToClient(): number {
    return this.#relay?.client.taken ?? 0;
  }

  get bytesFromUpstream(): number {
    return this.#relay?.upstream.read ?? 0;
  }

  get bytesToUpstream(): number {
    return this.#relay?.upstream.taken ?? 0;
  }

  get durationMs(): number {
    return this.#endedAfterMs ?? this.sinceStartMs();
  }

  get signal(): AbortSignal {
    this.#stop ??= new AbortController();
    if (this.reason !== undefined) this.#stop.abort();
    return this.#stop.signal;
  }

  get uploadRate(): number {
    return this.#uploadRate;
  }

  set uploadRate(bytesPerSecond: number) {
    this.#uploadRate = checkCount('uploadRate', bytesPerSecond);
    if (this.#relay !== undefined) this.#relay.client.rate = bytesPerSecond;
  }

  get downloadRate(): number {
    return this.#downloadRate;
  }

  set downloadRate(bytesPerSecond: number) {
    this.#downloadRate = checkCount('downloadRate', bytesPerSecond);
    if (this.#relay !== undefined) this.#relay.upstream.rate = bytesPerSecond;
  }

  close(reason: 'closed' | 'limit' = 'closed'): void {
    this.#close(reason);
  }

  sinceStartMs(): number {
    return performance.now() - this.#began;
  }

  /** Asks the system for the addresses: what was not asked before the close is not known any more then. */
  noteAddresses(): void {
    this.#clientAddress = remoteOf(this.digest.socket);
    this.#localAddress = localOf(this.digest.socket);
  }

  /** From now on the numbers are those of the relay, and the rates concern it. */
  joined(relay: Relay): void {
    this.#relay = relay;
    if (this.#uploadRate > 0) relay.client.rate = this.#uploadRate;
    if (this.#downloadRate > 0) relay.upstream.rate = this.#downloadRate;
  }

  /** It is over: whoever waits on its behalf hears of it. */
  ended(reason: CloseReason): void {
    this.reason = reason;
    this.#endedAfterMs ??= this.sinceStartMs();
    this.#stop?.abort();
  }
}

function remoteOf({ remoteAddress: host, remotePort: port }: SocketDigest): InetAddress | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}

function localOf({ localAddress: host, localPort: port }: SocketDigest): InetAddress | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}
