/**
 * The configuration of `cirque --upstream 127.0.0.1:9000`, which needs no file.
 */
import type { GatewayConfig } from './gateway-config.ts';
import { gatewayConfigFromText } from './load.ts';

/** What the command line says. */
export interface QuickOptions {
  /** Servers: `host:port` or `unix:/path`. At least one. */
  readonly upstream: readonly string[];
  /** Default `:8080`. */
  readonly listen?: string;
}

/**
 * One HTTP listener that passes everything on.
 *
 * @throws GatewayConfigError for addresses that are none.
 */
export function quickConfig({ upstream, listen = ':8080' }: QuickOptions): GatewayConfig {
  const document = { listeners: [{ address: listen, upstream: 'upstream' }], upstreams: { upstream } };
  return gatewayConfigFromText(JSON.stringify(document), 'command line', { env: {} });
}
