/**
 * How many octets of DATA a test may send: the windows that the proxy has given (RFC 9113 section 6.9).
 */
import { DEFAULT_WINDOW } from './h2-frames.ts';

export class H2SendWindows {
  /** Window of the connection. */
  connection: number = DEFAULT_WINDOW;
  #initial = DEFAULT_WINDOW;
  #streams = new Map<number, number>();

  settingsCame(initial: number | undefined): void {
    this.#initial = initial ?? this.#initial;
  }

  updateCame(stream: number, increment: number): void {
    if (stream === 0) this.connection += increment;
    else this.#streams.set(stream, (this.#streams.get(stream) ?? 0) + increment);
  }

  sent(stream: number, octets: number): void {
    this.connection -= octets;
    this.#streams.set(stream, (this.#streams.get(stream) ?? 0) - octets);
  }

  /** Octets that may be sent on a stream now. */
  room(stream: number): number {
    return Math.max(0, Math.min(this.connection, this.#initial + (this.#streams.get(stream) ?? 0)));
  }
}
