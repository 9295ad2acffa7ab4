/**
 * The gateway between four origins and whatever program comes: what most files of peers/ start once and stop at their end.
 */
import type { TlsSettingsOptions } from '@cirque/core';
import type { HttpProxyServiceOptions } from '@cirque/proxy';
import { LeakCheck, makeCa, type TestCa } from '@cirque/testing';
import { echoApp } from './echo-app.ts';
import { FourOrigins, type OriginKind } from './four-origins.ts';
import { Gateway } from './gateway.ts';
import type { ConnectionFacts, GatewaySetup } from './gateway-setup.ts';

/** The name in the certificate of the gateway. */
export const GATEWAY_NAME = 'gateway.test';

export interface PeersRigOptions {
  /** Default: one certificate for {@link GATEWAY_NAME} and 127.0.0.1, HTTP/2 and HTTP/1.1. */
  tls?(ca: TestCa): TlsSettingsOptions;
  /** Besides the four origins, or of one of them with other options. */
  upstreams?(origins: FourOrigins['upstreams']): GatewaySetup['upstreams'];
  readonly proxy?: HttpProxyServiceOptions;
}

export class PeersRig {
  readonly ca: TestCa;
  /** A file with the certificate of `ca`. */
  readonly caFile: string;
  readonly gateway: Gateway;
  /** What the origins have seen; see {@link echoApp}. */
  readonly log: string[];
  readonly #origins: FourOrigins;
  readonly #leaks: LeakCheck;

  private constructor(
    parts: Pick<PeersRig, 'ca' | 'caFile' | 'gateway' | 'log'> & { origins: FourOrigins; leaks: LeakCheck },
  ) {
    this.ca = parts.ca;
    this.caFile = parts.caFile;
    this.gateway = parts.gateway;
    this.log = parts.log;
    this.#origins = parts.origins;
    this.#leaks = parts.leaks;
  }

  static async start(options: PeersRigOptions = {}): Promise<PeersRig> {
    const leaks = LeakCheck.start();
    const ca = makeCa('Test authority');
    const { app, log } = echoApp();
    const origins = await FourOrigins.listen(app, ca);
    try {
      const tls = options.tls?.(ca) ?? defaultTls(ca);
      const upstreams = { ...origins.upstreams, ...options.upstreams?.(origins.upstreams) };
      const gateway = await Gateway.start({ upstreams, tls, ...(options.proxy && { proxy: options.proxy }) });
      const caFile = await gateway.files.file('ca.pem', ca.cert);
      return new PeersRig({ ca, caFile, gateway, log: log.lines, origins, leaks });
    } catch (error) {
      await origins.close();
      throw error;
    }
  }

  /** The URL of a path without TLS. */
  plain(path: string): string {
    return `http://127.0.0.1:${this.gateway.port}${path}`;
  }

  /** The URL of a path with TLS, by name; see {@link resolve}. */
  tls(path: string, name: string = GATEWAY_NAME): string {
    return `https://${name}:${this.gateway.tlsPort}${path}`;
  }

  /** Where curl finds the names of {@link tls}. */
  resolve(name: string = GATEWAY_NAME): readonly string[] {
    return ['--resolve', `${name}:${this.gateway.tlsPort}:127.0.0.1`];
  }

  /** Fails when a socket or a timer is left, here or in the gateway. */
  async stop(): Promise<void> {
    await this.#origins.close();
    await this.gateway.stop();
    await this.#leaks.assertClean();
  }
}

export const ORIGIN_KINDS: readonly OriginKind[] = ['h1', 'h2', 'h1-tls', 'h2-tls'];

/** `2.0` or `1.1`: what an origin of this kind says it was spoken to in. */
export function versionOf(kind: OriginKind): string {
  return kind.startsWith('h2') ? '2.0' : '1.1';
}

/** Reads {@link ConnectionFacts} from a field. */
export function factsIn(field: string | readonly string[] | undefined | null): ConnectionFacts {
  return JSON.parse(String(field ?? '{}')) as ConnectionFacts;
}

function defaultTls(ca: TestCa): TlsSettingsOptions {
  return { certificate: ca.issue({ names: [GATEWAY_NAME], ips: ['127.0.0.1'] }), alpn: ['h2', 'http/1.1'] };
}
