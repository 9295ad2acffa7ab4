/**
 * One run of `bench threads`: a temporary folder, the origin, and the rows of a scene, all on the same two cores.
 *
 * Owns everything it starts; `close()` ends it all and removes the folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateFiles, writeCertificate } from '../certificate.ts';
import { maxDescriptors, requireCores } from '../machine.ts';
import { createContent, writeOrigin } from '../origin.ts';
import { freePorts, waitForPort } from '../ports.ts';
import { Processes, type Running } from '../processes.ts';
import { SHAPES, type Shape } from '../shapes.ts';
import type { ThreadRow, Work } from './thread-rows.ts';

/** A row that runs and accepts connections. */
export interface ThreadTarget {
  readonly row: ThreadRow;
  readonly port: number;
  readonly running: Running;
}

const START_TIMEOUT_MS = 20_000;

export class ThreadStage {
  readonly signal: AbortSignal;
  /** Everything runs on these: nobody has one of its own. */
  readonly cores: readonly number[];
  readonly shape: Shape;
  readonly processes: Processes;
  readonly #directory: string;
  readonly #certificate: CertificateFiles;
  readonly #maxDescriptors: number = maxDescriptors();
  readonly #killNow = (): void => this.#abandon();
  #origin: Running | undefined;
  #originPort = 0;
  #started = 0;

  private constructor(signal: AbortSignal) {
    const { load, proxy } = requireCores();
    this.signal = signal;
    this.cores = [load, proxy];
    this.shape = SHAPES.find(({ name }) => name === '1k') as Shape;
    this.#directory = mkdtempSync(join(tmpdir(), 'cirque-bench-'));
    this.processes = new Processes({ directory: this.#directory, maxDescriptors: this.#maxDescriptors });
    this.#certificate = writeCertificate(join(this.#directory, 'certificate'));
    process.on('exit', this.#killNow);
  }

  /** Starts the origin. Whoever opens a stage closes it, in a `finally`. */
  static async open(signal: AbortSignal): Promise<ThreadStage> {
    const stage = new ThreadStage(signal);
    try {
      const [http = 0, h2c = 0] = await freePorts(2);
      const args = writeOrigin(join(stage.#directory, 'origin'), { http, h2c }, createContent());
      stage.#origin = stage.processes.start({ name: 'origin', file: 'nginx', args, core: stage.cores });
      stage.#originPort = http;
      await waitForPort(stage.#origin, http, START_TIMEOUT_MS, signal);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get origin(): Running {
    if (this.#origin === undefined) throw new Error('the stage is not open');
    return this.#origin;
  }

  /** Starts a row; undefined when it does not do this work. */
  async start(row: ThreadRow, work: Work): Promise<ThreadTarget | undefined> {
    const [listenPort = 0] = await freePorts(1);
    this.#started += 1;
    const context = {
      client: 'http',
      origin: 'http',
      listenPort,
      originPort: this.#originPort,
      certificate: this.#certificate,
      directory: join(this.#directory, `row-${this.#started}`),
      maxDescriptors: this.#maxDescriptors,
    } as const;
    const command = row.command(context, work);
    if (command === undefined) return undefined;
    const name = `${row.name}-${row.threads}`;
    const running = this.processes.start({ name, file: command.file, args: command.args, core: this.cores });
    await waitForPort(running, listenPort, START_TIMEOUT_MS, this.signal);
    return { row, port: listenPort, running };
  }

  async stop(target: ThreadTarget): Promise<void> {
    await this.processes.stop(target.running);
  }

  async close(): Promise<void> {
    await this.processes.stopAll();
    process.off('exit', this.#killNow);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #abandon(): void {
    this.processes.killAllNow();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
