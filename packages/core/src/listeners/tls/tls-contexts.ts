/**
 * The TLS contexts of a listener at one moment: a default and one for each host. Never changes: a reload makes a new set,
 * and connections keep the one that they began with.
 */
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { CirqueError } from '@cirque/error';
import { plainServerName } from '@cirque/transport';
import { checkPair, type MemoryCertificate } from './certificate-source.ts';
import type { ClientPolicy } from './client-certificate.ts';
import { HostTable } from './host-table.ts';
import type { HostMaterial, TlsMaterial } from './tls-material.ts';
import type { ResolvedTlsOptions } from './tls-options.ts';

/** A host that is ready for handshakes. */
export interface TlsHost {
  readonly context: SecureContext;
  readonly client: ClientPolicy;
  readonly hasCertificate: boolean;
}

/**
 * Node 22 adds the certificate of a host to that of the context a connection began with, and may then show the wrong one
 * when their keys are of different kinds (RSA, EC). There connections begin without any.
 */
const BEGINS_BARE = Number.parseInt(process.versions.node, 10) < 24;

export class TlsContexts {
  /** What connections begin with, before the client has named a host. */
  readonly first: SecureContext;
  /** For clients that name no host that is known. */
  readonly fallback: TlsHost;
  /** True when some host asks for client certificates: then all clients are asked, as it comes before the name. */
  readonly asksClients: boolean;
  readonly #options: ResolvedTlsOptions;
  readonly #shared: SecureContextOptions;
  readonly #hosts: HostTable<TlsHost>;
  /** Hosts made of what `selectCertificate` answered. */
  readonly #selected: WeakMap<MemoryCertificate, TlsHost> = new WeakMap();

  /** @throws CirqueError of type TLSConfigError when OpenSSL does not accept something. */
  constructor(options: ResolvedTlsOptions, { fallback, hosts }: TlsMaterial, ticketKeys: Buffer) {
    this.#options = options;
    this.asksClients = [fallback, ...hosts.map(([, host]) => host)].some(({ client }) => client.mode !== 'off');
    this.#shared = sharedOptions(options, options.sessionTickets && !this.asksClients, ticketKeys);
    this.fallback = this.#prepare('the default certificate', fallback);
    const prepared = hosts.map(([name, host]) => [name, this.#prepare(`host ${name}`, host)] as const);
    this.#hosts = new HostTable(prepared);
    const bare = BEGINS_BARE && (hosts.length > 0 || options.selectCertificate !== undefined);
    this.first = bare ? this.#prepare('TLS', { ...fallback, certificate: undefined }).context : this.fallback.context;
  }

  /** The host of a server name, or the default. A plain value unless `selectCertificate` takes its time. */
  select(serverName: string | undefined): TlsHost | Promise<TlsHost> {
    const name = plainServerName(serverName);
    if (name === undefined) return this.fallback;
    const answer = this.#options.selectCertificate?.(name);
    if (answer === undefined) return this.known(name);
    if (!isThenable(answer)) return this.#selectedHost(name, answer);
    return Promise.resolve(answer).then((certificate) =>
      certificate === undefined ? this.known(name) : this.#selectedHost(name, certificate),
    );
  }

  /** The configured host of a name, or the default. */
  known(name: string | undefined): TlsHost {
    return (name === undefined ? undefined : this.#hosts.find(name)) ?? this.fallback;
  }

  /** True when a client that was accepted for `host` would be accepted for the host of that name just the same. */
  sharesRules(host: TlsHost, name: string | undefined): boolean {
    const [given, asked] = [host.client, this.known(plainServerName(name)).client];
    return asked.mode === 'off' || given === asked || (given.mode === asked.mode && sameTexts(given.ca, asked.ca));
  }

  #selectedHost(name: string, certificate: MemoryCertificate): TlsHost {
    let host = this.#selected.get(certificate);
    if (host === undefined) {
      const where = `the certificate selected for ${name}`;
      host = this.#prepare(where, { certificate: checkPair(where, certificate), client: this.fallback.client });
      this.#selected.set(certificate, host);
    }
    return host;
  }

  #prepare(where: string, { certificate, client }: HostMaterial): TlsHost {
    try {
      const pair = certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key };
      const passphrase = certificate?.passphrase === undefined ? {} : { passphrase: certificate.passphrase };
      const context = createSecureContext({ ...this.#shared, ...pair, ...passphrase, ca: [...client.ca] });
      return { context, client, hasCertificate: certificate !== undefined };
    } catch (error) {
      throw CirqueError.internal('TLSConfigError', `${where} cannot be used with these TLS settings`, error);
    }
  }
}

function sharedOptions(options: ResolvedTlsOptions, tickets: boolean, ticketKeys: Buffer): SecureContextOptions {
  const { ciphers, curves, minVersion, maxVersion, sessionIdContext } = options;
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION | (tickets ? 0 : constants.SSL_OP_NO_TICKET);
  const common = { ciphers, ecdhCurve: curves, minVersion, maxVersion, sessionIdContext, ticketKeys, secureOptions };
  // All ciphers left are good ones: the client knows best which it has hardware for.
  return { ...common, honorCipherOrder: false };
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T>).then === 'function';
}

function sameTexts(some: ClientPolicy['ca'], others: ClientPolicy['ca']): boolean {
  return some.length === others.length && some.every((pem, index) => String(pem) === String(others[index]));
}
