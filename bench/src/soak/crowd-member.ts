/**
 * One client of a crowd: a connection, what is sent on it, and what became of it.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CrowdScript } from './crowd-script.ts';

export class CrowdMember {
  /** Of the first answer. */
  status: string | undefined;
  connectedAt: number | undefined;
  answeredAt: number | undefined;
  closedAt: number | undefined;
  errorCode: string | undefined;
  receivedBytes = 0;
  readonly #script: CrowdScript;
  readonly #socket: Socket;
  #drip: NodeJS.Timeout | undefined;
  #sip: NodeJS.Timeout | undefined;

  constructor(script: CrowdScript) {
    this.#script = script;
    const { port, from } = script;
    const target = { port, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) };
    this.#socket = script.tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    this.#socket.once(script.tls ? 'secureConnect' : 'connect', () => this.#connected());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode ??= error.code ?? error.message;
    });
    this.#socket.once('close', () => this.#closed());
    this.#read();
  }

  get isOpen(): boolean {
    return this.connectedAt !== undefined && this.closedAt === undefined;
  }

  /** Closes like a client that has finished. */
  leave(): void {
    this.#quiet();
    this.#socket.destroy();
  }

  #connected(): void {
    this.connectedAt = performance.now();
    this.#socket.write(Buffer.from(this.#script.send, 'latin1'));
    const { drip } = this.#script;
    if (drip !== undefined) this.#drip = setInterval(() => this.#socket.write(drip.text), drip.everyMs);
  }

  #read(): void {
    const { read = 'all' } = this.#script;
    const socket = this.#socket;
    if (read === 'all') socket.on('data', (piece: Buffer) => this.#received(piece));
    else if (read === 'none') socket.pause();
    else {
      socket.on('readable', () => undefined);
      this.#sip = setInterval(() => {
        const piece = socket.read(Math.min(read.bytes, socket.readableLength)) as Buffer | null;
        if (piece !== null) this.#received(piece);
      }, read.everyMs);
    }
  }

  #received(piece: Buffer): void {
    this.receivedBytes += piece.length;
    if (this.answeredAt !== undefined) return;
    this.answeredAt = performance.now();
    this.status = /^HTTP\/1\.1 (\d{3})/.exec(piece.toString('latin1', 0, 12))?.[1] ?? 'other bytes';
    clearInterval(this.#drip);
  }

  #closed(): void {
    this.closedAt = performance.now();
    this.#quiet();
  }

  #quiet(): void {
    clearInterval(this.#drip);
    clearInterval(this.#sip);
  }
}
