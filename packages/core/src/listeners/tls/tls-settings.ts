/**
 * The TLS side of listeners: certificates, what is asked of clients, protocols. One object may serve many listeners.
 *
 * What it decides is in tls-options.ts, what it reads in tls-material.ts; here is what can change while a server runs.
 */
import { randomBytes } from 'node:crypto';
import { checkCertificateOptions } from './certificate-source.ts';
import { checkClientOptions } from './client-certificate.ts';
import { HostTable } from './host-table.ts';
import { TlsContexts } from './tls-contexts.ts';
import { clientOptionsOf, loadMaterial, receivedMaterial, type TlsMaterial, warningsOf } from './tls-material.ts';
import {
  checkTicketKeys,
  type ResolvedTlsOptions,
  resolveTlsOptions,
  TICKET_KEY_BYTES,
  type TlsSettingsOptions,
} from './tls-options.ts';

/** What can change while a server runs, as it goes from the main thread to the others. Secret. */
export interface TlsState {
  readonly ticketKeys: Uint8Array;
  /** Undefined before the files were read. */
  readonly material: TlsMaterial | undefined;
}

/**
 * TLS settings for `service.addTlsWithSettings`.
 *
 * ```ts
 * const settings = TlsSettings.intermediate('a.example.pem', 'a.example.key').enableH2();
 * service.addTlsWithSettings('0.0.0.0:443', settings);
 * ```
 */
export class TlsSettings {
  /** @internal The checked options. */
  readonly options: ResolvedTlsOptions;
  #alpn: readonly string[];
  #ticketKeys: Buffer;
  #material: TlsMaterial | undefined;
  #contexts: TlsContexts | undefined;
  readonly #listeners: Set<() => void> = new Set();

  /** @throws TypeError or RangeError naming the option, the value and what would be right. Files are read at the start. */
  constructor(options: TlsSettingsOptions) {
    this.options = resolveTlsOptions(options);
    this.#alpn = this.options.alpn;
    this.#ticketKeys = checkTicketKeys(options.ticketKeys ?? randomBytes(TICKET_KEY_BYTES));
    checkHosts(this.options);
  }

  /** One certificate from files, everything else as Mozilla's intermediate configuration has it (Pingora's name). */
  static intermediate(
    certFile: string,
    keyFile: string,
    options: Omit<TlsSettingsOptions, 'certificate'> = {},
  ): TlsSettings {
    return new TlsSettings({ ...options, certificate: { certFile, keyFile } });
  }

  /** HTTP/2 where the client has it, else HTTP/1.1. */
  enableH2(): this {
    this.#alpn = ['h2', 'http/1.1'];
    return this;
  }

  /** The protocols that are offered by ALPN, the best one first. */
  get alpn(): readonly string[] {
    return this.#alpn;
  }

  /** The bytes that encrypt session tickets now, to be shared with other machines. Secret. */
  get ticketKeys(): Buffer {
    return this.#ticketKeys;
  }

  /**
   * Encrypts tickets with these 48 bytes from now on. Clients with older tickets make a full handshake. With worker threads
   * call it where `server.isMain` holds: all threads get the keys.
   *
   * @throws TypeError for anything else.
   */
  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = checkTicketKeys(keys);
    if (this.#material !== undefined) this.#contexts = this.#build(this.#material);
    this.#changed();
  }

  /** @internal What {@link take} takes. */
  get state(): TlsState {
    return { ticketKeys: this.#ticketKeys, material: this.#material };
  }

  /** @internal Serves new connections with what another thread has: its keys, and the files as it has read them. */
  take({ ticketKeys, material = this.#material }: TlsState): void {
    this.#ticketKeys = checkTicketKeys(Buffer.from(ticketKeys));
    if (material === undefined) return;
    const received = receivedMaterial(material);
    this.#contexts = this.#build(received);
    this.#material = received;
  }

  /** @internal Calls `listener` after each change of {@link state} but by {@link take}; the result ends that. */
  onChange(listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Encrypts tickets with new random bytes, and answers them. Do it every few hours, for the sake of forward secrecy. */
  rotateTicketKeys(): Buffer {
    this.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
    return this.#ticketKeys;
  }

  /**
   * Reads all files again and serves new connections with them. Open connections stay as they are. When something is
   * wrong, everything stays as it was. With worker threads call it where `server.isMain` holds: all threads get what was
   * read.
   *
   * @returns what is odd about the certificates, such as one that has expired.
   * @throws CirqueError of type TLSConfigError naming file and reason.
   */
  async reload(): Promise<readonly string[]> {
    const material = await loadMaterial(this.options);
    this.#contexts = this.#build(material);
    this.#material = material;
    this.#changed();
    return warningsOf(material);
  }

  /** @internal Reads the files unless that was done. Answers as {@link reload} does. */
  async load(): Promise<readonly string[]> {
    return this.#material === undefined ? this.reload() : warningsOf(this.#material);
  }

  /** @internal What new connections are served with. */
  get contexts(): TlsContexts {
    if (this.#contexts === undefined) throw new Error('TLS settings are used before they were loaded');
    return this.#contexts;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #build(material: TlsMaterial): TlsContexts {
    return new TlsContexts(this.options, material, this.#ticketKeys);
  }
}

function checkHosts(options: ResolvedTlsOptions): void {
  const { certificate, hosts, verifyClient } = options;
  if (certificate !== undefined) checkCertificateOptions('certificate', certificate);
  checkClientOptions('TLS settings', options, verifyClient !== undefined);
  for (const [name, host] of Object.entries(hosts)) {
    const where = `host ${JSON.stringify(name)}`;
    checkCertificateOptions(where, host);
    checkClientOptions(where, clientOptionsOf(host, options), verifyClient !== undefined);
  }
  new HostTable(Object.entries(hosts));
}
