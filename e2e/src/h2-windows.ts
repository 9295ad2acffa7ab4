/**
 * How many octets of DATA the other side may send: the windows that a test has given it (RFC 9113 section 6.9).
 *
 * A smaller initial window counts from its acknowledgement on, a larger one from the time it is sent.
 */
import { DEFAULT_WINDOW } from './h2-frames.ts';

export class H2Windows {
  #connection = DEFAULT_WINDOW;
  #initial = DEFAULT_WINDOW;
  #pending: number[] = [];
  /** What each stream has been given (WINDOW_UPDATE) less what it has used. */
  #streams = new Map<number, number>();

  settingsSent(initial: number | undefined): void {
    this.#pending.push(initial ?? -1);
    if (initial !== undefined && initial > this.#initial) this.#initial = initial;
  }

  settingsAcked(): void {
    const initial = this.#pending.shift();
    if (initial !== undefined && initial >= 0) this.#initial = Math.max(initial, ...this.#pending);
  }

  updateSent(stream: number, increment: number): void {
    if (stream === 0) this.#connection += increment;
    else this.#streams.set(stream, (this.#streams.get(stream) ?? 0) + increment);
  }

  /** The anomaly when these octets were not allowed. */
  dataReceived(stream: number, octets: number): string | undefined {
    this.updateSent(stream, -octets);
    this.#connection -= octets;
    if (octets === 0) return undefined;
    if (this.#connection < 0) return `DATA beyond the window of the connection by ${-this.#connection}`;
    const left = this.#initial + (this.#streams.get(stream) ?? 0);
    return left < 0 ? `DATA beyond the window of stream ${stream} by ${-left}` : undefined;
  }
}
