/** Entry of @cirque/core. Only re-exports. */
export { type AccessLogFacts, accessLogRecord, redactTarget } from './access-log.ts';
export { ACCESS_LOG_FORMATS, type AccessLogFormat, accessLogLine } from './access-log-line.ts';
export { type AccessLog, type AccessLogTargets, openAccessLog } from './access-log-writer.ts';
export { HttpConnectionApp, type HttpServerApp } from './app/http-server-app.ts';
export {
  type HttpServiceOptions,
  httpService,
  type PlainRequest,
  type PlainResponse,
  type ServeHttp,
  ServeHttpApp,
} from './app/serve-http.ts';
export type { AppContext, MaybePromise, ServerApp } from './app/server-app.ts';
export { absolutePaths } from './daemon/absolute-paths.ts';
export { BodyFeed, type ByteSource } from './http/body-feed.ts';
export { errorResponse } from './http/error-response.ts';
export {
  type HttpServerOptions,
  type ResolvedHttpServerOptions,
  resolveHttpServerOptions,
} from './http/http-server-options.ts';
export {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type ResolvedHttp2ServerOptions,
} from './http/http2-server-options.ts';
export type { ServerSession, ServerSessionHandler, TunnelRequest } from './http/server-session.ts';
export { opensTunnel, wantsTrailers } from './http/tunnel-request.ts';
export {
  type VirtualRequest,
  VirtualServerSession,
  type VirtualSink,
  virtualDigest,
} from './http/virtual-server-session.ts';
export { type ClientPrefix, clientKey } from './listeners/client-key.ts';
export type { RefusalReason } from './listeners/connection-counters.ts';
export { CONNECTION_CHANNELS, type ConnectionEvent } from './listeners/connection-events.ts';
export type { ConnectionFilter, ConnectionFilterLike } from './listeners/connection-filter.ts';
export type { ConnectionLimitOptions } from './listeners/connection-limit-options.ts';
export { descriptorLimit } from './listeners/descriptor-limit.ts';
export type { ListeningAddress, TcpSocketOptions, UnixSocketOptions } from './listeners/endpoint.ts';
export type { ProxyProtocolOptions } from './listeners/proxy-protocol.ts';
export { ThrottledLog } from './listeners/throttled-log.ts';
export type { CertificateFiles, CertificateOptions, MemoryCertificate } from './listeners/tls/certificate-source.ts';
export type { ClientCertificateOptions } from './listeners/tls/client-certificate.ts';
export type { TlsHostOptions, TlsSettingsOptions, TlsVersion } from './listeners/tls/tls-options.ts';
export { TlsSettings } from './listeners/tls/tls-settings.ts';
export type { TrustedSourcesLike } from './listeners/trusted-sources.ts';
export { type Logger, type LogMethod, logLevelFromEnvironment, type ServerLogger, silentLogger } from './logger.ts';
export type { LogFailure, LogFileOptions } from './logs/append-file.ts';
export { type LogFile, LogFiles } from './logs/log-files.ts';
export { createLogger, type LoggerOptions } from './logs/server-logger.ts';
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
export {
  CONFIGURATION_KEYS,
  type ConfigurationKey,
  configurationTable,
  UNSUPPORTED_KEYS,
  unsupportedTable,
} from './server/conf-keys.ts';
export type { ExecutionPhase, PhaseListener } from './server/execution-phase.ts';
export { nearestWord } from './server/nearest-word.ts';
export type { ReloadListener } from './server/reloader.ts';
export { type RunArgs, Server } from './server/server.ts';
export {
  type KnownConfiguration,
  type LogLevel,
  type ServerConfiguration,
  serverConfiguration,
} from './server/server-conf.ts';
export type { ServerStats } from './server/server-stats.ts';
export { type BackgroundService, type BackgroundTask, backgroundServiceOf } from './service/background-service.ts';
export { type GivenListeningOptions, listeningOptionsOf } from './service/listening-options.ts';
export { ListeningService, type ListeningServiceOptions } from './service/listening-service.ts';
export type { Replicated } from './service/replicated.ts';
export type { EndpointCheck, Legacy, Service, ServiceContext, SocketName } from './service/service.ts';
export type { ServiceHandle } from './service/service-graph.ts';
export { ServiceGroup, type ServiceGroupOptions } from './service/service-group.ts';
export type { StatsTree } from './service/stats-tree.ts';
export type { ThreadPlace } from './service/thread-place.ts';
export type { UdpSocketOptions } from './sockets/datagram-socket.ts';
export { checkUdp, probeUdp } from './sockets/probe-udp.ts';
export type { BoundDatagram, ServiceSockets } from './sockets/service-sockets.ts';
export type { SocketKind, SocketRecord } from './sockets/socket-record.ts';
