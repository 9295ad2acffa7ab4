/**
 * What does no harm and is hardly meant: routes that are never reached, upstreams that nothing uses.
 */
import type { GatewayConfig, HttpMatchConfig, ListenerConfig, StreamRouteConfig } from './gateway-config.ts';
import type { GatewayProblem } from './gateway-config-error.ts';
import type { YamlSource } from './yaml-source.ts';

/** Everything that looks odd in a file without problems. */
export function warningsOf(config: GatewayConfig, source: YamlSource): GatewayProblem[] {
  const warnings: GatewayProblem[] = [];
  for (const [index, listener] of config.listeners.entries()) {
    const all = 'routes' in listener ? catchAlls(listener) : [];
    const first = all.indexOf(true);
    if (first < 0 || first === all.length - 1) continue;
    const path = ['listeners', index, 'routes', first + 1];
    warnings.push(source.at(path, `is never reached: routes[${first}] before it fits everything`));
  }
  const used = new Set(config.listeners.flatMap(upstreamsOf));
  for (const name of Object.keys(config.upstreams))
    if (!used.has(name)) warnings.push(source.at(['upstreams', name], 'is used by no listener', 'key'));
  return warnings;
}

function catchAlls(listener: Exclude<ListenerConfig, { protocol: 'udp' }>): boolean[] {
  if (listener.protocol === 'http') return listener.routes.map(({ match }) => fitsEverything(match));
  return listener.routes.map(fitsAllConnections);
}

function fitsEverything({ hosts, path, exact, regex, methods, headers }: HttpMatchConfig): boolean {
  const anyPath = (path === undefined || path === '/') && exact === undefined && regex === undefined;
  return anyPath && hosts === undefined && methods === undefined && Object.keys(headers).length === 0;
}

function fitsAllConnections({ sni, alpn, httpHost, prefix, clients }: StreamRouteConfig): boolean {
  return [sni, alpn, httpHost, prefix, clients].every((part) => part === undefined);
}

function upstreamsOf(listener: ListenerConfig): string[] {
  if (listener.protocol === 'udp') return [listener.upstream];
  if (listener.protocol === 'tcp') return listener.routes.map(({ upstream }) => upstream);
  return listener.routes.flatMap(({ action }) => (action.kind === 'proxy' ? [action.upstream] : []));
}
