/**
 * The stages of a server's life, observable in order (Pingora's ExecutionPhase).
 *
 * Pingora's GracefulUpgradeCloseTimeout is absent: the successor says when it is ready, so that nobody has to guess a time.
 */
import type { Logger } from '../logger.ts';

/**
 * Where a server is in its life.
 *
 * - `Setup`: made, not started; never announced.
 * - `Bootstrap`, `BootstrapComplete`: configuration is being read; is known.
 * - `Running`: every service is ready.
 * - `GracefulUpgradeTransferringFds`: the sockets go to a successor (SIGQUIT). When it does not become ready, `Running` again.
 * - `GracefulTerminate`: a graceful stop was asked for (SIGTERM), or a successor has taken over.
 * - `ShutdownDelay`: the server says that it is not ready, and still accepts everything (`drain_delay_seconds`).
 * - `ShutdownStarted`: services were told to stop.
 * - `ShutdownGracePeriod`: open connections finish. Graceful stop only.
 * - `ShutdownRuntimes`: what is left is given its last seconds, then cut.
 * - `Terminated`: nothing of the server runs any more.
 */
export type ExecutionPhase =
  | 'Setup'
  | 'Bootstrap'
  | 'BootstrapComplete'
  | 'Running'
  | 'GracefulUpgradeTransferringFds'
  | 'GracefulTerminate'
  | 'ShutdownDelay'
  | 'ShutdownStarted'
  | 'ShutdownGracePeriod'
  | 'ShutdownRuntimes'
  | 'Terminated';

/** Called with each new phase, synchronously. What it throws is logged and changes nothing. */
export type PhaseListener = (phase: ExecutionPhase) => void;

/** The current phase and who wants to know of the next. */
export class PhaseTracker {
  #current: ExecutionPhase = 'Setup';
  readonly #listeners = new Set<PhaseListener>();

  get current(): ExecutionPhase {
    return this.#current;
  }

  /** Adds a listener; the result removes it. */
  onPhase(listener: PhaseListener): () => void {
    const entry: PhaseListener = (phase) => listener(phase);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  enter(phase: ExecutionPhase, logger: Logger): void {
    this.#current = phase;
    for (const listener of [...this.#listeners]) {
      try {
        listener(phase);
      } catch (error) {
        logger.error({ err: error, phase }, 'a phase listener failed');
      }
    }
  }
}
