/**
 * `cirque run`: serves what a file says, or, without a file, what the command line says.
 *
 * Runs in worker threads as well: they make the same services and are told the configuration by the main thread.
 */
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { type ParsedArgs, parseArgs, Server } from '@cirque/core';
import { backgroundService } from '@cirque/load-balancing';
import type { GatewayConfig } from '../config/gateway-config.ts';
import { ControlService } from '../control/control-service.ts';
import { ConfigSource, type Reading } from '../gateway/config-source.ts';
import { Gateway } from '../gateway/gateway.ts';
import { cliVersion } from './cli-version.ts';
import type { CommandIo } from './command-io.ts';

const OPTIONS = {
  upstream: {
    type: 'string',
    multiple: true,
    valueName: 'ADDRESS',
    help: 'without a file: pass all requests on to this server',
  },
  listen: { type: 'string', valueName: 'ADDRESS', help: 'without a file: where to listen (default :8080)' },
} as const;

type RunArgs = ParsedArgs<typeof OPTIONS>;

/** The file that is taken where none is named. */
const DEFAULT_FILE = 'cirque.yaml';

/** Serves until it is told to stop; answers the exit code where that is not the server's affair. */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number | undefined> {
  const given = parseArgs({
    argv,
    options: OPTIONS,
    name: 'cirque run',
    version: cliVersion(),
    description: `Serves what a configuration file says (default: ${DEFAULT_FILE}), over HTTP, TCP and UDP.`,
  });
  const args = withFile(given);
  const problem = misuse(args);
  if (problem !== undefined) {
    io.stderr.write(`${problem}\nTry cirque run --help for the list of options.\n`);
    return 2;
  }
  let server: Server;
  try {
    server = await gatewayServer(args);
  } catch (error) {
    if (!isMainThread) throw error;
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  await server.runForever();
  return undefined;
}

/** The server with everything in it. @throws TypeError for what the checks of the file have let through: a certificate that cannot be read. */
async function gatewayServer(args: RunArgs): Promise<Server> {
  const source = new ConfigSource(await readerOf(args));
  const server = new Server({ ...args, readConfiguration: source.read });
  server.bootstrap();
  const gateway = new Gateway({ logger: server.logger, configuration: () => server.configuration });
  const control = new ControlService({
    stats: () => server.stats(),
    isReady: () => server.isReady,
    balancer: (name) => gateway.upstreams.groups().get(name)?.balancer,
  });
  // In worker threads nothing was read: they are told by the main thread.
  if (source.last !== undefined) {
    gateway.begin(source.last);
    await control.move(source.last.control);
  }
  const upkeep = server.addService(backgroundService(gateway.name, gateway));
  server.addService(gateway.listeners).addDependency(upkeep);
  server.addService(control.group);
  server.onReload(async () => {
    if (source.last === undefined) return;
    await control.probe(source.last.control);
    await gateway.change(source.last);
    await control.move(source.last.control);
  });
  server.onPhase((phase) => {
    if (phase === 'Running') server.logger.info(summaryOf(gateway.config), 'gateway ready');
  });
  return server;
}

function summaryOf(config: GatewayConfig | undefined): Record<string, unknown> {
  return {
    listeners: config?.listeners.map(({ name }) => name),
    upstreams: Object.keys(config?.upstreams ?? {}),
    control: config?.control,
  };
}

function withFile(args: RunArgs): RunArgs {
  const isNeeded = args.conf === undefined && args.values.upstream === undefined && existsSync(DEFAULT_FILE);
  return isNeeded ? { ...args, conf: DEFAULT_FILE } : args;
}

function misuse({ conf, values: { listen, upstream } }: RunArgs): string | undefined {
  if (conf === undefined && upstream === undefined) {
    return `there is no ${DEFAULT_FILE} here: name a file with -c, or a server with --upstream`;
  }
  if (conf !== undefined && (upstream ?? listen) !== undefined) {
    return '-c and --upstream or --listen exclude each other: the file says where to listen and where to pass things on';
  }
  return undefined;
}

/** Worker threads read nothing, and need not load what checks a file. */
async function readerOf({ conf, values: { listen, upstream = [] } }: RunArgs): Promise<() => Reading> {
  if (!isMainThread) return () => neverHere();
  const { fileReader, quickReader } = await import('./readers.ts');
  return conf === undefined ? quickReader({ upstream, ...(listen === undefined ? {} : { listen }) }) : fileReader(conf);
}

function neverHere(): never {
  throw new Error('worker threads are told the configuration by the main thread');
}
