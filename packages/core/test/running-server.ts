/**
 * Runs services in an embedded server for the length of a test.
 */
import { type Logger, Server, type ServerConfiguration, type Service, silentLogger } from '../src/index.ts';

/** One line that the server logged. */
export interface LogLine {
  readonly level: string;
  readonly facts: Record<string, unknown>;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LogLine[], bindings: Record<string, unknown> = {}): Logger {
  const method =
    (level: string) =>
    (facts: object | string, message?: string): void => {
      const text = typeof facts === 'string' ? facts : (message ?? '');
      lines.push({ level, facts: typeof facts === 'string' ? bindings : { ...bindings, ...facts }, message: text });
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (facts) => recordingLogger(lines, { ...bindings, ...facts }),
  };
}

/** A server that runs until it is stopped. */
export class RunningServer {
  readonly server: Server;
  readonly lines: LogLine[] = [];
  readonly phases: string[] = [];
  readonly #graceful = new AbortController();
  readonly #fast = new AbortController();
  /** Settles when the server has stopped. */
  readonly finished: Promise<void>;

  private constructor(services: readonly Service[], configuration: Partial<ServerConfiguration>) {
    this.server = new Server({ logger: recordingLogger(this.lines) }, configuration);
    this.server.onPhase((phase) => this.phases.push(phase));
    for (const service of services) this.server.addService(service);
    this.finished = this.server.run({ signal: this.#graceful.signal, fast: this.#fast.signal });
  }

  /** Resolves when every service is ready; rejects when one cannot start. */
  static async start(
    services: readonly Service[],
    configuration: Partial<ServerConfiguration> = {},
  ): Promise<RunningServer> {
    const running = new RunningServer(services, configuration);
    const ready = Promise.withResolvers<void>();
    running.server.onPhase((phase) => {
      if (phase === 'Running') ready.resolve();
    });
    await Promise.race([ready.promise, running.finished]);
    return running;
  }

  stopGracefully(): Promise<void> {
    this.#graceful.abort();
    return this.finished;
  }

  stopFast(): Promise<void> {
    this.#fast.abort();
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopFast();
  }

  /** Lines of this level, by their message. */
  logged(level: string, message: string): LogLine[] {
    return this.lines.filter((line) => line.level === level && line.message.includes(message));
  }
}

export { silentLogger };
