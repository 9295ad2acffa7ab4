/**
 * The server in use for one request: chosen, given back, and replaced by another one after a failure.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap } from '@cirque/http';
import type { Backend, Pick, PickOptions } from '@cirque/load-balancing';
import type { HttpPeer } from '@cirque/pool';
import type { Session } from '@cirque/proxy';
import { MAX_CANDIDATES } from '../upstreams/upstream-group.ts';
import type { ProxyAction } from './route.ts';
import type { RouteContext } from './route-context.ts';

/** Answers of a server that say that it cannot do its work, as opposed to an error of the application (500). */
const UNFIT: ReadonlySet<number> = new Set([502, 503, 504]);

const PLAIN: PickOptions = { maxIterations: MAX_CANDIDATES };

/** One per request that goes to servers. */
export class UpstreamUse {
  readonly #action: ProxyAction;
  readonly #context: RouteContext;
  #pick: Pick | undefined = undefined;
  /** Addresses of servers that have failed this request. */
  #tried: string[] | undefined = undefined;
  #failure: CirqueError | undefined = undefined;
  /** The server that the client belongs to. */
  #preferred: string | undefined = undefined;
  #since = 0;
  #latencyMs: number | undefined = undefined;
  #ok: boolean | undefined = undefined;
  #over = false;

  constructor(action: ProxyAction, context: RouteContext) {
    this.#action = action;
    this.#context = context;
  }

  /** The server of the attempt that is under way. */
  get backend(): Backend | undefined {
    return this.#pick?.backend;
  }

  /**
   * The peer for the next attempt: the same server as before unless it has failed.
   *
   * @throws CirqueError HTTPStatus 503 when nobody is there; after a failure, that failure.
   */
  peer(): HttpPeer | Promise<HttpPeer> {
    if (this.#pick !== undefined) return this.#peerOf(this.#pick.backend);
    const { group } = this.#action;
    const key = group.requestKey === undefined ? '' : group.requestKey(this.#session, this.#context.clientIp);
    const options = this.#options();
    const pick = group.balancer.pick(key, options);
    return pick === undefined ? this.#wait(key, options) : this.#take(pick);
  }

  /** This server is to blame for the failure of the attempt. True when another one may be tried. */
  failed(error: CirqueError): boolean {
    const address = this.#pick?.backend.address;
    this.#giveBack(false);
    this.#failure = error;
    this.#tried ??= [];
    if (address !== undefined) this.#tried.push(address);
    return this.#tried.length <= this.#action.retries;
  }

  /** The final head of a response is there. */
  answered(status: number): void {
    this.#ok = !UNFIT.has(status);
    if (this.#action.group.wantsLatency) this.#latencyMs = performance.now() - this.#since;
  }

  /** Keeps the client at its server: by a cookie where it has none for it yet. */
  keepClient(headers: HeaderMap): void {
    const { stickyCookie } = this.#action.group;
    const backend = this.#pick?.backend;
    if (stickyCookie === undefined || backend === undefined || backend.address === this.#preferred) return;
    headers.append('Set-Cookie', stickyCookie.setCookie(backend));
  }

  /** The request is over. Nothing is known of the server where the client has left, or a kept connection had died. */
  end(error: CirqueError | undefined): void {
    this.#over = true;
    if (error === undefined) this.#giveBack(this.#ok);
    else this.#giveBack(error.source === 'Upstream' && error.retry !== 'ReusedOnly' ? false : undefined);
  }

  get #session(): Session {
    return this.#context.session;
  }

  #options(): PickOptions {
    const tried = this.#tried;
    if (tried !== undefined) {
      return { ...PLAIN, accept: ({ address }, healthy) => healthy && !tried.includes(address) };
    }
    const { group } = this.#action;
    if (!group.isSticky) return PLAIN;
    this.#preferred = group.preferred(this.#session, this.#context.clientIp);
    return this.#preferred === undefined ? PLAIN : { ...PLAIN, prefer: this.#preferred };
  }

  /** Everybody is at his cap, or nobody is there. */
  #wait(key: string, options: PickOptions): HttpPeer | Promise<HttpPeer> {
    const { group } = this.#action;
    try {
      const { queueSize } = group.config;
      const coming = group.balancer.acquire(
        key,
        queueSize > 0 ? { ...options, signal: this.#session.signal } : options,
      );
      if (!(coming instanceof Promise)) return this.#take(coming);
      return coming.then(
        (pick) => this.#take(pick),
        (error: unknown) => {
          throw this.#nobody(error);
        },
      );
    } catch (error) {
      throw this.#nobody(error);
    }
  }

  #nobody(error: unknown): unknown {
    if (!CirqueError.is(error) || error.type !== 'ConnectNoRoute') return error;
    if (this.#failure !== undefined) return this.#failure.setRetry(false);
    return CirqueError.http(503, `upstream ${this.#action.group.name}`, { source: 'Upstream', cause: error });
  }

  #take(pick: Pick): HttpPeer {
    // The client has left while it waited: nobody else would give it back.
    if (this.#over) {
      pick.done();
      throw CirqueError.downstream('ConnectionClosed', 'the client has left');
    }
    this.#pick = pick;
    // Nothing of what another server has answered before.
    this.#ok = undefined;
    this.#latencyMs = undefined;
    const { group } = this.#action;
    if (group.wantsLatency) this.#since = performance.now();
    if (group.isSticky) group.remember(this.#context.clientIp, pick.backend);
    return this.#peerOf(pick.backend);
  }

  #peerOf(backend: Backend): HttpPeer {
    return this.#action.peers.of(backend, this);
  }

  /** @internal of PeerFacts */
  get digest(): Session['digest'] {
    return this.#session.digest;
  }

  /** @internal of PeerFacts */
  get host(): string | undefined {
    return this.#action.host.serverName(this.#session);
  }

  #giveBack(ok: boolean | undefined): void {
    const pick = this.#pick;
    this.#pick = undefined;
    pick?.done(ok === undefined ? undefined : { ok, latencyMs: this.#latencyMs });
  }
}
