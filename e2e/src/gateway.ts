/**
 * The gateway of peers/gateway.ts as a process, and what must be true of it in the end: no socket left, nothing wrong in
 * its log.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { GatewaySetup } from './gateway-setup.ts';
import { ScratchFolder } from './scratch-folder.ts';
import { Subject } from './subject.ts';

const PROGRAM = fileURLToPath(new URL('../peers/gateway.ts', import.meta.url));
const CLOSING_TIME_MS = 3_000;

export class Gateway {
  readonly subject: Subject;
  /** Files that live as long as the gateway. */
  readonly files: ScratchFolder;
  readonly #tlsPort: number | undefined;
  readonly #sockets: number | undefined;

  private constructor(subject: Subject, files: ScratchFolder, sockets: number | undefined) {
    this.subject = subject;
    this.files = files;
    this.#sockets = sockets;
    const match = /TLS on \S*?:(\d+)\s/.exec(subject.output);
    this.#tlsPort = match ? Number(match[1]) : undefined;
  }

  /** @param program another one than that of peers/, told in the same way. */
  static async start(setup: GatewaySetup, program: string = PROGRAM): Promise<Gateway> {
    const files = await ScratchFolder.make();
    try {
      const file = await files.file('setup.json', JSON.stringify(setup));
      const words = [process.execPath, '--conditions=@cirque/source', program, '--setup', file];
      const subject = await Subject.launch(words);
      return new Gateway(subject, files, await subject.openSockets());
    } catch (error) {
      await files.remove();
      throw error;
    }
  }

  /** Of plaintext connections. */
  get port(): number {
    return this.subject.port;
  }

  get tlsPort(): number {
    if (this.#tlsPort === undefined) throw new Error('the gateway was started without TLS');
    return this.#tlsPort;
  }

  /** To be called when clients and origins have closed: the gateway must have done so, too. */
  async stop(): Promise<void> {
    try {
      await this.#expectAllClosed();
      expect(this.subject.output).not.toMatch(/Warning:|Unhandled|"error":"Internal /);
    } finally {
      await this.subject.stop();
      await this.files.remove();
    }
  }

  async #expectAllClosed(): Promise<void> {
    expect(this.subject.alive, `the gateway has ended: ${this.subject.output}`).toBe(true);
    const until = performance.now() + CLOSING_TIME_MS;
    let open = await this.subject.openSockets();
    while (open !== this.#sockets && performance.now() < until) {
      await pause(50);
      open = await this.subject.openSockets();
    }
    expect(open, 'sockets of the gateway, its listeners included').toBe(this.#sockets);
  }
}
