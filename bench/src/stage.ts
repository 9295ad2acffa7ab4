/**
 * One run's set-up: a temporary folder, the origin, and the proxies under test, all on free ports and pinned.
 *
 * Owns everything it starts; `close()` ends it all and removes the folder. Knows nothing about measuring.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateFiles, writeCertificate } from './certificate.ts';
import { processTree } from './cpu-time.ts';
import { type Cores, maxDescriptors, pinSelf } from './machine.ts';
import { createContent, type OriginContent, writeOrigin } from './origin.ts';
import { freePorts, waitForPort } from './ports.ts';
import { Processes, type Running } from './processes.ts';
import { REFERENCE_ROW, type Row } from './rows.ts';
import type { OriginProtocol, Traffic } from './traffic.ts';

/** A proxy that runs and accepts connections. */
export interface Target {
  readonly row: Row;
  readonly port: number;
  readonly running: Running;
  /** Its processes, workers included. */
  readonly pids: readonly number[];
}

const START_TIMEOUT_MS = 15_000;

export class Stage {
  readonly cores: Cores;
  readonly directory: string;
  readonly processes: Processes;
  readonly content: OriginContent;
  readonly certificate: CertificateFiles;
  readonly maxDescriptors: number;
  readonly signal: AbortSignal;
  readonly #killNow = (): void => this.#abandon();
  #originPorts: Readonly<Record<OriginProtocol, number>> = { http: 0, h2c: 0 };
  #targets = 0;

  private constructor(cores: Cores, signal: AbortSignal) {
    this.signal = signal;
    this.cores = cores;
    this.maxDescriptors = maxDescriptors();
    this.directory = mkdtempSync(join(tmpdir(), 'cirque-bench-'));
    this.processes = new Processes({ directory: this.directory, maxDescriptors: this.maxDescriptors });
    this.content = createContent();
    this.certificate = writeCertificate(join(this.directory, 'certificate'));
    process.on('exit', this.#killNow);
  }

  /** Starts the origin. Whoever opens a stage closes it, in a `finally`. */
  static async open(cores: Cores, signal: AbortSignal): Promise<Stage> {
    const stage = new Stage(cores, signal);
    try {
      pinSelf(stage.cores.load);
      await stage.#startOrigin();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #startOrigin(): Promise<void> {
    const [http = 0, h2c = 0] = await freePorts(2);
    this.#originPorts = { http, h2c };
    const args = writeOrigin(join(this.directory, 'origin'), this.#originPorts, this.content);
    const origin = this.processes.start({ name: 'origin', file: REFERENCE_ROW, args, core: this.cores.load });
    await waitForPort(origin, http, START_TIMEOUT_MS, this.signal);
  }

  /** Of the origin, for HTTP/1.1. */
  get originPort(): number {
    return this.#originPorts.http;
  }

  /** A file with a request body of this size, for load generators that want one. */
  bodyFile(bytes: number): string {
    const file = join(this.directory, `body-${bytes}`);
    if (!existsSync(file)) writeFileSync(file, Buffer.alloc(bytes, 'b'));
    return file;
  }

  /**
   * Starts a proxy for this traffic and waits until it accepts connections. Throws with its last words when it does not.
   *
   * `nodeFlags` come before the file, for rows that Node runs.
   */
  async start(row: Row, { client, origin }: Traffic, nodeFlags: readonly string[] = []): Promise<Target> {
    const [listenPort = 0] = await freePorts(1);
    const directory = join(this.directory, `row-${++this.#targets}`);
    const { certificate, maxDescriptors } = this;
    const originPort = this.#originPorts[origin];
    const command = row.command({ client, origin, listenPort, originPort, certificate, directory, maxDescriptors });
    const running = this.processes.start({
      name: row.name,
      file: command.file,
      args: [...nodeFlags, ...command.args],
      core: this.cores.proxy,
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    });
    try {
      await waitForPort(running, listenPort, START_TIMEOUT_MS, this.signal);
      return new StartedTarget(row, listenPort, running);
    } catch (error) {
      await this.processes.stop(running);
      throw error;
    }
  }

  async stop(target: Target): Promise<void> {
    await this.processes.stop(target.running);
  }

  async close(): Promise<void> {
    await this.processes.stopAll();
    process.off('exit', this.#killNow);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The process ends without `close()`: a second Ctrl-C, or a crash of the benchmark itself. */
  #abandon(): void {
    this.processes.killAllNow();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A proxy that accepts connections. */
class StartedTarget implements Target {
  readonly row: Row;
  readonly port: number;
  readonly running: Running;
  #pids: readonly number[] | undefined;

  constructor(row: Row, port: number, running: Running) {
    this.row = row;
    this.port = port;
    this.running = running;
  }

  /** Looked up when first needed: a master listens before its workers exist. */
  get pids(): readonly number[] {
    this.#pids ??= processTree(this.running.pid);
    return this.#pids;
  }
}
