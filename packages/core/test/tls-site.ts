/**
 * A service with TLS for the length of a test, and clients that say what became of them.
 */
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { makeCa, type TestCa } from '@cirque/testing';
import type { Digest, Stream } from '@cirque/transport';
import {
  ListeningService,
  type ServerApp,
  type TcpSocketOptions,
  TlsSettings,
  type TlsSettingsOptions,
} from '../src/index.ts';
import { type LogLine, RunningServer } from './running-server.ts';

/** The authority of all sites. */
export const ca: TestCa = makeCa('Test Root');

/** Sends `hello` on each connection, then what it was sent; remembers what it knows of each. */
export class EchoApp implements ServerApp {
  readonly reads: 'callback' | 'duplex';
  readonly digests: Digest[] = [];
  readonly streams: Stream[] = [];
  readonly shutDown: Stream[] = [];

  constructor(reads: 'callback' | 'duplex' = 'duplex') {
    this.reads = reads;
  }

  processNew(stream: Stream): void {
    this.digests.push(stream.digest);
    this.streams.push(stream);
    stream.writeLatin1('hello ');
    if (this.reads === 'duplex') {
      stream.duplex.pipe(stream.duplex);
      return;
    }
    stream.start({
      onRead: (buffer, length, lease) => void stream.writeSlice(buffer, 0, length, lease),
      onReadEnd: () => stream.end(),
      onDrain() {},
      onClose() {},
    });
  }

  shutdownConnection(stream: Stream): void {
    this.shutDown.push(stream);
    stream.end();
  }
}

/** A running service with one TLS address. */
export class TlsSite {
  readonly app: EchoApp;
  readonly service: ListeningService<EchoApp>;
  readonly settings: TlsSettings;
  readonly running: RunningServer;
  readonly port: number;

  private constructor(service: ListeningService<EchoApp>, settings: TlsSettings, running: RunningServer) {
    this.app = service.app;
    this.service = service;
    this.settings = settings;
    this.running = running;
    const [address] = service.endpoints;
    this.port = address !== undefined && 'port' in address ? address.port : 0;
  }

  static async start(
    options: TlsSettingsOptions | TlsSettings,
    socketOptions: TcpSocketOptions = {},
    prepare: (service: ListeningService<EchoApp>) => void = () => {},
    app: EchoApp = new EchoApp(),
  ): Promise<TlsSite> {
    const settings = options instanceof TlsSettings ? options : new TlsSettings(options);
    const service = new ListeningService('site', app);
    service.addTlsWithSettings('127.0.0.1:0', settings, socketOptions);
    prepare(service);
    return new TlsSite(service, settings, await RunningServer.start([service]));
  }

  /** Lines about refused connections, by the reason. */
  refusals(reason: string): LogLine[] {
    return this.running.lines.filter(({ facts }) => String(facts.err).includes(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stopFast();
  }
}

/** What became of a client. */
export interface Visit {
  /** Undefined when the handshake succeeded. */
  readonly error: string | undefined;
  /** What was received before the end. */
  readonly text: string;
  /** The common name of the server. */
  readonly server: string | undefined;
  readonly alpn: string | undefined;
  readonly version: string | undefined;
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** Connects, says `ping` and FIN, and waits for the end. */
export async function visit(port: number, options: ConnectionOptions = {}): Promise<Visit> {
  const socket = connect({ host: '127.0.0.1', port, ca: ca.cert, servername: 'a.example', ...options });
  let [text, error]: [string, string | undefined] = ['', undefined];
  let session: Buffer | undefined;
  let facts: Pick<Visit, 'server' | 'alpn' | 'version' | 'reused'> = {
    server: undefined,
    alpn: undefined,
    version: undefined,
    reused: false,
  };
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('session', (next: Buffer) => {
    session = next;
  });
  socket.on('error', (cause: NodeJS.ErrnoException) => {
    error ??= cause.code ?? cause.message;
  });
  socket.once('secureConnect', () => {
    facts = {
      server: commonName(socket),
      alpn: socket.alpnProtocol || undefined,
      version: socket.getProtocol() ?? undefined,
      reused: socket.isSessionReused(),
    };
    socket.end('ping');
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { error, text, session, ...facts };
}

function commonName(socket: TLSSocket): string | undefined {
  return /CN=(.*)/.exec(socket.getPeerX509Certificate()?.subject ?? '')?.[1];
}

/** Destroys a socket and waits until it is closed. */
export async function closed(socket: Socket): Promise<void> {
  socket.destroy();
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
