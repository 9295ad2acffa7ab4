/**
 * Our settings: what was announced, and what the peer has acknowledged (RFC 9113 section 6.5.3).
 */
import type { FrameWriter } from './frame-writer.ts';
import { type Http2Settings, INITIAL_SETTINGS, settingsPairs } from './settings.ts';

/** One per connection. */
export class LocalSettings {
  readonly #writer: FrameWriter;
  #pending: Http2Settings[] = [];
  /** What was sent last. */
  announced: Http2Settings;
  /** What the peer follows. */
  acknowledged: Http2Settings = INITIAL_SETTINGS;

  constructor(writer: FrameWriter, server: boolean) {
    this.#writer = writer;
    // A server has nothing to say about push.
    this.announced = server ? { ...INITIAL_SETTINGS, enablePush: false } : INITIAL_SETTINGS;
  }

  announce(settings: Http2Settings): void {
    this.#writer.settings(settingsPairs(this.announced, settings));
    this.announced = settings;
    this.#pending.push(settings);
  }

  /** The peer follows the oldest that it had not acknowledged. False: there was none. */
  acknowledge(): boolean {
    const settings = this.#pending.shift();
    if (settings === undefined) return false;
    this.acknowledged = settings;
    return true;
  }

  /** How much larger the window of a stream is for a peer whose acknowledgements are still on their way. */
  get windowGrowth(): number {
    let largest = this.acknowledged.initialWindowSize;
    for (const { initialWindowSize } of this.#pending) largest = Math.max(largest, initialWindowSize);
    return largest - this.acknowledged.initialWindowSize;
  }

  get allAcknowledged(): boolean {
    return this.#pending.length === 0;
  }
}
