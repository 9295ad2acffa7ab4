/** Entry of @cirque/core. Only re-exports. */
export type { MaybePromise, ServerApp } from './app/server-app.ts';
export type { ConnectionFilter, ConnectionFilterLike } from './listeners/connection-filter.ts';
export type { ListeningAddress, TcpSocketOptions, UnixSocketOptions } from './listeners/endpoint.ts';
export {
  createLogger,
  type Logger,
  type LogMethod,
  logLevelFromEnvironment,
  type ServerLogger,
  silentLogger,
} from './logger.ts';
export {
  type CliIo,
  type CliOption,
  type CliOptionTable,
  type CliValues,
  type ParseArgsConfig,
  type ParsedArgs,
  parseArgs,
  type ServerOptions,
} from './server/cli-options.ts';
export { ConfigurationError, type ConfigurationProblem } from './server/conf-error.ts';
export { type LoadedConfiguration, loadConfiguration, parseConfiguration } from './server/conf-file.ts';
export { CONFIGURATION_KEYS, type ConfigurationKey, configurationTable, UNSUPPORTED_KEYS } from './server/conf-keys.ts';
export type { ExecutionPhase, PhaseListener } from './server/execution-phase.ts';
export { type RunArgs, Server } from './server/server.ts';
export {
  type KnownConfiguration,
  type LogLevel,
  type ServerConfiguration,
  serverConfiguration,
} from './server/server-conf.ts';
export { type BackgroundService, type BackgroundTask, backgroundServiceOf } from './service/background-service.ts';
export { ListeningService, type ListeningServiceOptions } from './service/listening-service.ts';
export type { EndpointCheck, Service, ServiceContext } from './service/service.ts';
export type { ServiceHandle } from './service/service-graph.ts';
