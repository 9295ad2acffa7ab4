/**
 * The stages of a server's life, observable in order (Pingora's ExecutionPhase).
 *
 * Pingora's stages of a graceful upgrade are absent because there is no upgrade here.
 */
import type { Logger } from '../logger.ts';

/**
 * Where a server is in its life.
 *
 * - `Setup`: made, not started; never announced.
 * - `Bootstrap`, `BootstrapComplete`: configuration is being read; is known.
 * - `Running`: every service is ready.
 * - `GracefulTerminate`: a graceful stop was asked for (SIGTERM).
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
  | 'GracefulTerminate'
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
