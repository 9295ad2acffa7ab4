/**
 * The proxy under stress, as bench/src/soak starts it: routes by path, balances over several backends, tries again.
 *
 * Told by the key `stress` of its configuration file, in the words of the options of the packages. Answers
 * {@link STATS_PATH} itself, with what only it can know.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { threadId } from 'node:worker_threads';
import { parseArgs, Server, TlsSettings, type TlsSettingsOptions } from '@cirque/core';
import { type Backend, backgroundService, LoadBalancer, TcpHealthCheck } from '@cirque/load-balancing';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { defineProxy, type HttpProxyServiceOptions, httpProxyService } from '@cirque/proxy';

/** The value of the key `stress`. */
interface StressSettings {
  readonly listen: string;
  /** Default: plaintext. */
  readonly tls?: TlsSettingsOptions;
  /** Backends by the beginning of the path; the first that fits is taken. */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly peer: PeerOptions;
  readonly service: HttpProxyServiceOptions;
  /** Default: no health checks. */
  readonly healthCheckMs?: number;
}

/** State of one request: the backend it is with, and those that have failed it. */
interface Attempts {
  readonly failed: Set<string>;
  last: string;
}

const STATS_PATH = '/stress-stats';
const MOST_FAILURES = 3;
const MOST_STEPS = 256;
const LAG_RESOLUTION_MS = 5;

const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
lag.enable();

/** What this thread says about itself since its last call; heap after a collection where Node was started with `--expose-gc`. */
function stats(): string {
  globalThis.gc?.();
  const { heapUsed: heapBytes, external: externalBytes } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const lagP99Ms = Math.max(0, lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS);
  lag.reset();
  return JSON.stringify({ thread: threadId, lagP99Ms, heapBytes, externalBytes, timers });
}

/** One peer for each backend, so that what is learnt about it stays. */
class Peers {
  readonly #options: PeerOptions;
  readonly #known = new Map<string, HttpPeer>();

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  of(backend: Backend): HttpPeer {
    const known = this.#known.get(backend.address) ?? new HttpPeer(backend, this.#options);
    this.#known.set(backend.address, known);
    return known;
  }
}

function mayTryAgain({ failed, last }: Attempts): boolean {
  failed.add(last);
  return failed.size < MOST_FAILURES;
}

const server = new Server(parseArgs({ name: 'stress-gateway', description: 'The proxy under stress.', options: {} }));
server.bootstrap();
const settings = server.configuration.extra.stress as StressSettings;
const routes = Object.entries(settings.routes).map(([path, addresses]) => {
  const balancer = LoadBalancer.fromAddresses(addresses, { logger: server.logger });
  if (settings.healthCheckMs !== undefined) {
    balancer.setHealthCheck(new TcpHealthCheck());
    balancer.healthCheckFrequencyMs = settings.healthCheckMs;
  }
  server.addService(backgroundService(`balancer of ${path}`, balancer));
  return [path, balancer] as const;
});
const peers = new Peers(settings.peer);
const proxy = defineProxy<Attempts>({
  newCtx: () => ({ failed: new Set(), last: '' }),
  requestFilter(session) {
    if (session.requestHeader.target !== STATS_PATH) return false;
    session.respond(200, stats());
    return true;
  },
  upstreamPeer(session, attempts) {
    const { target } = session.requestHeader;
    const [, balancer] = routes.find(([path]) => target.startsWith(path)) ?? [];
    const untried = ({ address }: Backend, healthy: boolean): boolean => healthy && !attempts.failed.has(address);
    const backend = balancer?.selectWith('', MOST_STEPS, untried) ?? balancer?.select('');
    if (backend === undefined) throw new Error(`no backend for ${target}`);
    attempts.last = backend.address;
    return peers.of(backend);
  },
  failToConnect: (_session, _peer, attempts, error) => error.setRetry(mayTryAgain(attempts)),
  errorWhileProxy(_peer, session, error, attempts) {
    const repeatable = session.requestHeader.method === 'GET' && !session.responseStarted;
    // An upstream that was silent for so long is not asked again.
    return repeatable && error.type !== 'ReadTimedout' ? error.setRetry(mayTryAgain(attempts)) : error;
  },
});
const service = httpProxyService(server.configuration, proxy, settings.service);
if (settings.tls === undefined) service.addTcp(settings.listen);
else service.addTlsWithSettings(settings.listen, new TlsSettings(settings.tls));
server.addService(service);
await server.runForever();
