/**
 * The process around a server: command that starts a daemon, daemon, signals, pid file, rights, service manager, exit code.
 *
 * Order of a start, as privileges and readers of the pid file need it: configuration, identity, predecessor, listen, pid
 * file, drop of rights, ready (predecessor, service manager, the command that waits).
 */
import { closeSync } from 'node:fs';
import { chdir, umask } from 'node:process';
import { loadSys } from '@cirque/sys';
import { STARTED_IN } from '../daemon/absolute-paths.ts';
import { type DaemonStatus, daemonStatus, isDaemonChild } from '../daemon/daemon-status.ts';
import { dropPrivileges } from '../daemon/drop-privileges.ts';
import { openErrorLog } from '../daemon/error-log.ts';
import { type Identity, resolveIdentity } from '../daemon/identity.ts';
import { launchDaemon } from '../daemon/launch-daemon.ts';
import { type PidFile, writePidFile } from '../daemon/pid-file.ts';
import type { Logger, ServerLogger } from '../logger.ts';
import { sendStandardStreamsTo } from '../logs/standard-streams.ts';
import { SystemdNotifier } from '../systemd/systemd-notifier.ts';
import { someThreadCannotEnd } from '../workers/worker-thread.ts';
import type { ServerOptions } from './cli-options.ts';
import type { Host, Lifecycle } from './host.ts';
import { findPredecessor, type OtherSuccessor, type Predecessor } from './predecessor.ts';
import type { ServerConfiguration } from './server-conf.ts';
import { watchSignals } from './signals.ts';
import type { StopKind } from './stop-request.ts';

/** How long the process may live on after the server has ended, before it is ended, in milliseconds. */
const EXIT_AFTER_FAST_MS = 1_000;

/** What the process has beside the server. */
export interface ProcessHostParts {
  readonly options: ServerOptions;
  readonly logger: Logger;
  /** The server's own logger, which may be sent to the error log; undefined where the program has given one. */
  readonly ownLogger: ServerLogger | undefined;
}

/** See the file's head. */
export class ProcessHost implements Host {
  readonly #server: Lifecycle;
  readonly #parts: ProcessHostParts;
  #configuration!: ServerConfiguration;
  #identity: Identity | undefined;
  #status: DaemonStatus | undefined;
  #pidFile: PidFile | undefined;
  #wasReady = false;
  #notifier: SystemdNotifier | undefined;
  #stopWatchdog: () => void = () => {};

  constructor(server: Lifecycle, parts: ProcessHostParts) {
    this.#server = server;
    this.#parts = parts;
  }

  /** True in the command that only starts a daemon. */
  static isLauncher(options: ServerOptions, configuration: ServerConfiguration): boolean {
    return isDaemon(options, configuration) && options.test !== true && !isDaemonChild();
  }

  /** Runs the server to its end, then lets the process end with the code that says how it went. */
  async runForever(): Promise<void> {
    const { options, logger } = this.#parts;
    this.#server.bootstrap();
    if (ProcessHost.isLauncher(options, this.#server.configuration)) {
      process.exitCode = await launchDaemon({ configuration: this.#server.configuration, options, logger });
      return;
    }
    const unwatch = this.#watch();
    let code = 1;
    try {
      code = await this.#server.serve(this);
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      logger.error({ err: error }, sentence);
      if (this.#status !== undefined) this.#status.failed(sentence);
      else if (this.#server.configuration.errorLog !== '') process.stderr.write(`${sentence}\n`);
    } finally {
      unwatch();
      this.#stopWatchdog();
      if (this.#wasReady) this.#pidFile?.remove();
      else this.#pidFile?.giveBack();
    }
    process.exitCode = code;
    this.#exitWhenOverdue(code);
  }

  async begin(signal: AbortSignal): Promise<Predecessor | OtherSuccessor | undefined> {
    const { options, logger } = this.#parts;
    this.#configuration = this.#server.configuration;
    const { errorLog, user, group, workingDirectory, umask: mask } = this.#configuration;
    this.#status = daemonStatus();
    this.#identity = resolveIdentity({ user, group });
    if (this.#identity !== undefined) this.#server.ownLogs(this.#identity);
    if (errorLog !== '') this.#openErrorLog(errorLog);
    this.#notifier = SystemdNotifier.fromEnvironment(process.env, loadSys(), logger);
    if (isDaemon(options, this.#configuration)) {
      umask(Number.parseInt(mask, 8));
      if (workingDirectory !== '') chdir(workingDirectory);
    }
    const found = await findPredecessor({
      upgrade: options.upgrade === true,
      configuration: this.#configuration,
      uids: this.#uids(),
      logger,
      signal,
      onListening: () => this.#status?.started(),
    });
    // The successor runs, only not in this process: the command that waits has got what it wanted.
    if ('takenOverBy' in found) this.#status?.ready(found.takenOverBy);
    return found;
  }

  async listening(): Promise<void> {
    const { options } = this.#parts;
    const { pidFile } = this.#configuration;
    if (isDaemon(options, this.#configuration) && pidFile !== '') {
      this.#pidFile = writePidFile(pidFile, { owner: this.#identity });
    }
    if (this.#identity !== undefined) {
      dropPrivileges(this.#identity);
      await this.#server.checkRights();
    }
    this.#status?.started();
  }

  ready(): void {
    this.#wasReady = true;
    this.#status?.ready();
    this.#notifier?.ready();
    this.#stopWatchdog = this.#notifier?.startWatchdog() ?? this.#stopWatchdog;
  }

  /** It is made here, where root makes it, so that its later user can open it again. */
  #openErrorLog(path: string): void {
    closeSync(openErrorLog(path, this.#identity));
    this.#parts.ownLogger?.writeTo(path);
  }

  #watch(): () => void {
    return watchSignals({
      stop: (kind, signal) => this.#stop(kind, signal),
      upgrade: () => void this.#upgrade(),
      reload: () => void this.#reload(),
      reopenLogs: () => this.#reopenLogs(),
    });
  }

  #stop(kind: StopKind, signal: string): void {
    this.#parts.logger.info({ signal }, kind === 'fast' ? 'stopping now' : 'stopping, open connections may finish');
    this.#notifier?.stopping();
    this.#server.stop(kind);
  }

  async #upgrade(): Promise<void> {
    // For a successor that is started here: it works where this process began, and tells the service manager, too.
    const env = { ...process.env, ...this.#notifier?.environment };
    const respawn = { detached: isDaemonChild(), cwd: STARTED_IN, env };
    const successor = await this.#server.upgrade(this.#uids(), respawn);
    if (successor !== undefined) this.#notifier?.mainPid(successor);
  }

  async #reload(): Promise<void> {
    this.#notifier?.reloading();
    this.#reopenLogs();
    await this.#server.reload();
    if (this.#server.stopKind === undefined) this.#notifier?.ready();
  }

  /** Those of the server, and what everything else in this process prints. */
  #reopenLogs(): void {
    const { logger, options } = this.#parts;
    const { configuration } = this.#server;
    const { errorLog } = configuration;
    this.#server.reopenLogs();
    if (errorLog === '' || !isDaemon(options, configuration)) return;
    try {
      sendStandardStreamsTo(errorLog, loadSys());
    } catch (error) {
      logger.warn({ err: error, errorLog }, 'the standard streams could not be sent to the error log again');
    }
  }

  /** Users whose processes are ours: this one, root, and the one that the configuration names. */
  #uids(): readonly number[] {
    const uids = [process.geteuid?.() ?? 0, 0, this.#identity?.uid].filter((uid) => uid !== undefined);
    return [...new Set(uids)];
  }

  /** Ends the process when something outside the server keeps it alive; the timer itself does not. */
  #exitWhenOverdue(code: number): void {
    const seconds = this.#server.configuration.gracefulShutdownTimeoutSeconds;
    const ms = this.#server.stopKind === 'fast' ? EXIT_AFTER_FAST_MS : seconds * 1_000;
    setTimeout(() => {
      const resources = process.getActiveResourcesInfo();
      const cannotExit = someThreadCannotEnd();
      const facts = cannotExit ? { resources, cannotExit } : { resources };
      this.#parts.logger.warn(facts, 'the process is still alive after the server has stopped; ending it');
      // exit() would wait for threads that never end.
      if (cannotExit) process.kill(process.pid, 'SIGKILL');
      process.exit(code);
    }, ms).unref();
  }
}

function isDaemon({ daemon }: ServerOptions, configuration: ServerConfiguration): boolean {
  return daemon === true || configuration.daemon;
}
