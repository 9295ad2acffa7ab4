/**
 * The life of a worker thread: runs one service of the server, does what the main thread says, then lets go.
 */
import type { MessagePort } from 'node:worker_threads';
import { loadSys } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import { childLogger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { Service } from '../service/service.ts';
import { ServiceSockets } from '../sockets/service-sockets.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { SocketTable } from '../sockets/socket-table.ts';
import { watchHeap } from './heap-guard.ts';
import { processStats } from './process-stats.ts';
import type { Counted } from './thread-answers.ts';
import { plain, WorkerChannel } from './worker-channel.ts';
import type { WorkerRole } from './worker-role.ts';

/** What the server of this thread gives. */
export interface InWorkerParts {
  readonly role: WorkerRole;
  readonly services: readonly Service[];
  readonly logger: Logger;
  readonly logs: LogFiles;
  readonly shutdown: AbortController;
  readonly fast: AbortController;
  /** The main thread can be asked, by the names that it answers. */
  connected(call: <T>(name: string) => Promise<T>): void;
  /** The main thread has read its configuration again. */
  reconfigured(configuration: ServerConfiguration): void;
  /** The server accepts work, or does not any more. */
  readyChanged(isReady: boolean): void;
  reopenLogs(): void;
}

/** Runs until the main thread says that it is over. Rejects when the service cannot start. */
export async function runInWorker(parts: InWorkerParts): Promise<void> {
  const { role, services, shutdown, fast, logs } = parts;
  const service = ownService(role, services);
  for (const [position, snapshot] of role.snapshots) services[position]?.replicated?.apply(snapshot);
  const table = tableOf(role);
  const logger = childLogger(parts.logger, { service: service.name, worker: role.index });
  const channel = new WorkerChannel(role.port, answersOf(parts, service, table), (name, error) => {
    logger.error({ err: error, told: name }, 'a worker cannot do what it was told by the main thread; it goes on');
  });
  parts.connected((name) => channel.call(name));
  channel.tell('begun');
  const unwatch = watchHeap(() => channel.tell('full'));
  // The main thread says when it is over, also where nothing listens yet.
  const alive = setInterval(() => {}, 0x7fffffff);
  // After an exception, or process.exit(), the event loop would go on to the end of its round.
  const abandon = (): void => table.abandon();
  process.once('exit', abandon);
  try {
    for (const position of role.snapshots.keys()) await services[position]?.replicated?.applied?.();
    if (shutdown.signal.aborted) return;
    await service.start({
      shutdown: shutdown.signal,
      fast: fast.signal,
      configuration: role.configuration,
      logger,
      logs,
      thread: role,
      sockets: new ServiceSockets(service.name, table, shutdown.signal),
      ready: () => {
        table.isComplete(async (sockets) => {
          // What a thread closes as it stops is for the one that takes its place.
          if (!shutdown.signal.aborted) await channel.call('sockets', sockets).catch(() => {});
        });
        channel.tell('ready', table.list());
      },
    });
  } catch (error) {
    channel.tell('failed', plain(error));
    throw error;
  } finally {
    unwatch();
    clearInterval(alive);
    process.off('exit', abandon);
    logs.close();
    channel.tell('stopped', lastCounters(service, services));
    channel.close();
  }
}

/** The service of the role; the entry module must add the same services in every thread. */
function ownService({ service: name, position }: WorkerRole, services: readonly Service[]): Service {
  const service = services[position];
  if (service?.name === name) return service;
  throw new Error(
    `this thread should run service ${JSON.stringify(name)}, but the entry module has added ${JSON.stringify(service?.name)} in its ` +
      'place: it must add the same services in the same order in every thread',
  );
}

function tableOf({ sockets, duplicate, heir, resolved, ownsPaths }: WorkerRole): SocketTable {
  const inherited = duplicate ? duplicates(sockets) : sockets;
  const table = new SocketTable({ inherited, reusePort: true, heir, resolved });
  if (ownsPaths) table.takenOver();
  return table;
}

/** Descriptors of our own for sockets that the main thread keeps. */
function duplicates(sockets: readonly SocketRecord[]): readonly SocketRecord[] {
  const sys = loadSys();
  return sys === undefined ? [] : sockets.map((record) => ({ ...record, fd: sys.dup(record.fd) }));
}

/** What the main thread may ask and tell. */
function answersOf(
  parts: InWorkerParts,
  service: Service,
  table: SocketTable,
): Record<string, (argument: never) => unknown> {
  const { shutdown, fast, services } = parts;
  return {
    stop: () => shutdown.abort(),
    cut: () => {
      shutdown.abort();
      fast.abort();
    },
    reconfigure: (configuration: ServerConfiguration) => {
      parts.reconfigured(configuration);
      service.reconfigure?.(configuration);
    },
    reloadCertificates: () => service.reloadCertificates?.(),
    reopenLogs: () => parts.reopenLogs(),
    setReady: (isReady: boolean) => parts.readyChanged(isReady),
    apply: ({ position, change }: { position: number; change: unknown }) =>
      services[position]?.replicated?.apply(change),
    adopt: ({ owner, sockets }: { owner: number; sockets: readonly SocketRecord[] }) =>
      service.adopt?.(owner, duplicates(sockets)),
    release: (owner: number) => service.release?.(owner),
    surrender: ({ port }: { port?: MessagePort }) => service.surrender?.(port),
    receive: async ({ port }: { port: MessagePort }) => {
      await service.receive?.(port);
      return table.list();
    },
    handedOver: () => table.handedOver(),
    takenOver: () => table.takenOver(),
    beat: () => true,
    openConnections: () => service.openConnections ?? 0,
    stats: () => service.stats?.() ?? {},
    counters: () => countersOfCopies(services),
    process: () => processStats(),
  };
}

/** Nobody asks after that. Counters that cannot be told do not keep the thread from its end. */
function lastCounters(service: Service, services: readonly Service[]): Counted {
  try {
    return { stats: service.stats?.() ?? {}, copies: countersOfCopies(services) };
  } catch {
    return { stats: {}, copies: [] };
  }
}

function countersOfCopies(services: readonly Service[]): Counted['copies'] {
  return services.flatMap(({ replicated }, position) => {
    const counters = replicated?.counters?.();
    return counters === undefined ? [] : [[position, counters] as const];
  });
}
