/**
 * One run's set-up: a temporary folder, the origin, and the proxies under test, all on free ports and pinned.
 *
 * Owns everything it starts; `close()` ends it all and removes the folder. Knows nothing about measuring.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processTree } from './cpu-time.ts';
import { type Cores, maxDescriptors, pinSelf } from './machine.ts';
import { createContent, type OriginContent, writeOrigin } from './origin.ts';
import { freePorts, waitForPort } from './ports.ts';
import { Processes, type Running } from './processes.ts';
import { REFERENCE_ROW, type Row } from './rows.ts';

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
  readonly maxDescriptors: number;
  readonly signal: AbortSignal;
  readonly #killNow = (): void => this.#abandon();
  #originPort = 0;
  #targets = 0;

  private constructor(cores: Cores, signal: AbortSignal) {
    this.signal = signal;
    this.cores = cores;
    this.maxDescriptors = maxDescriptors();
    this.directory = mkdtempSync(join(tmpdir(), 'cirque-bench-'));
    this.processes = new Processes({ directory: this.directory, maxDescriptors: this.maxDescriptors });
    this.content = createContent();
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

  get originPort(): number {
    return this.#originPort;
  }

  async #startOrigin(): Promise<void> {
    const [port = 0] = await freePorts(1);
    this.#originPort = port;
    const args = writeOrigin(join(this.directory, 'origin'), port, this.content);
    const origin = this.processes.start({ name: 'origin', file: REFERENCE_ROW, args, core: this.cores.load });
    await waitForPort(origin, port, START_TIMEOUT_MS, this.signal);
  }

  /**
   * Starts a proxy and waits until it accepts connections. Throws with its last words when it does not.
   *
   * `nodeFlags` come before the file, for rows that Node runs.
   */
  async start(row: Row, nodeFlags: readonly string[] = []): Promise<Target> {
    const [listenPort = 0] = await freePorts(1);
    const directory = join(this.directory, `row-${++this.#targets}`);
    const { originPort, maxDescriptors } = this;
    const command = row.command({ listenPort, originPort, directory, maxDescriptors });
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
