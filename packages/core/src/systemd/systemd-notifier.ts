/**
 * Tells systemd how the service is doing: sd_notify(3) for `Type=notify`, with its watchdog.
 *
 * Node.js has no unix datagrams: native calls send them, or the program systemd-notify(1) does, which needs
 * `NotifyAccess=all` in the unit.
 */
import { escapeText } from '@cirque/error';
import type { Sys } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import { type NotifySender, programSender, sysSender } from './notify-sender.ts';

/** Longest text of a status line, in characters. */
const MAX_STATUS = 1_024;

/** The environment of a service; what is read is removed. */
type Environment = Record<string, string | undefined>;

/** The service manager that has started this process. */
export class SystemdNotifier {
  readonly #sender: NotifySender;
  readonly #socket: string;
  /** Microseconds within which a sign of life is due; 0: none is expected of this process. */
  readonly #watchdogMicros: number;
  readonly #logger: Logger;
  #failed = false;

  private constructor(socket: string, sender: NotifySender, watchdogMicros: number, logger: Logger) {
    this.#socket = socket;
    this.#sender = sender;
    this.#watchdogMicros = watchdogMicros;
    this.#logger = logger;
  }

  /**
   * Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, and removes them from `environment`: children are not the
   * service.
   *
   * @returns undefined where no service manager listens.
   */
  static fromEnvironment(
    environment: Environment,
    sys: Sys | undefined,
    logger: Logger,
    pid: number = process.pid,
  ): SystemdNotifier | undefined {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: micros, WATCHDOG_PID: watched } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
    if (socket === undefined || socket === '') return undefined;
    if (!socket.startsWith('/') && !socket.startsWith('@')) {
      logger.warn(
        { socket: escapeText(socket) },
        'NOTIFY_SOCKET is not a unix socket; the service manager is told nothing',
      );
      return undefined;
    }
    const isWatched = watched === undefined || watched === '' || watched === String(pid);
    const sender = sys === undefined ? programSender(socket) : sysSender(socket, sys);
    return new SystemdNotifier(socket, sender, isWatched ? wholeNumber(micros) : 0, logger);
  }

  /** Variables for a successor that this process starts itself, so that it can tell the service manager, too. */
  get environment(): Readonly<Record<string, string>> {
    const watchdog = this.#watchdogMicros === 0 ? {} : { WATCHDOG_USEC: String(this.#watchdogMicros) };
    return { NOTIFY_SOCKET: this.#socket, ...watchdog };
  }

  /** The service works; also after a reload. */
  ready(): void {
    this.#send(['READY=1', `STATUS=serving, process id ${process.pid}`]);
  }

  /** The configuration is read again; ends with {@link ready}. */
  reloading(): void {
    this.#send([
      'RELOADING=1',
      `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`,
      'STATUS=reading the configuration',
    ]);
  }

  /** The service ends. */
  stopping(): void {
    this.#send(['STOPPING=1', 'STATUS=stopping']);
  }

  /** One line for people, shown by `systemctl status`. */
  status(text: string): void {
    this.#send([`STATUS=${escapeText(text.slice(0, MAX_STATUS))}`]);
  }

  /** Another process is the service from now on. */
  mainPid(pid: number): void {
    this.#send([`MAINPID=${pid}`]);
  }

  /**
   * Sends a sign of life twice in the time that the unit's `WatchdogSec` allows, from the event loop of this thread: one that
   * hangs is noticed. Does nothing where none is expected. The result ends it.
   */
  startWatchdog(): () => void {
    if (this.#watchdogMicros === 0) return () => {};
    const beat = (): void => this.#send(['WATCHDOG=1']);
    beat();
    const timer = setInterval(beat, Math.max(1, this.#watchdogMicros / 2_000)).unref();
    return () => clearInterval(timer);
  }

  #send(assignments: readonly string[]): void {
    this.#sender(assignments).catch((error: unknown) => {
      if (this.#failed) return;
      this.#failed = true;
      this.#logger.warn(
        { err: error, socket: this.#socket },
        'the service manager cannot be told how the service is doing',
      );
    });
  }
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
