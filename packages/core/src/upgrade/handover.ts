/**
 * What a new process has got from its predecessor, and the end of the conversation with it.
 */
import type { SocketRecord } from '../sockets/socket-record.ts';
import { hasEnded } from './process-alive.ts';
import type { UpgradeChannel } from './upgrade-channel.ts';
import { isRefusal, upgradeError } from './upgrade-error.ts';
import type { HandoverState } from './upgrade-message.ts';

/** Listening sockets and state that were taken over. */
export interface Handover {
  /** The descriptors are open and belong to the caller: each must be served or closed. */
  readonly sockets: readonly SocketRecord[];
  readonly state: HandoverState;
  readonly predecessorPid: number;
  /**
   * Aborted when the predecessor goes on serving although {@link ready} was not called yet: it has waited long enough,
   * or was told to stop the upgrade. This process must end then.
   */
  readonly abandoned: AbortSignal;
  /**
   * Tells the predecessor that this process serves. Resolves when it has confirmed: it stops accepting now. Resolves
   * also when it has died, since nobody else is left to serve.
   *
   * @throws CirqueError when the predecessor goes on serving; this process must end then.
   */
  ready(): Promise<void>;
  /** Ends the conversation. Without {@link ready} the predecessor goes on serving. The descriptors stay open. */
  close(): void;
}

/** How long the predecessor may take to confirm. */
const CONFIRM_TIMEOUT_MS = 10_000;
/** How long a predecessor that has closed the connection may take to be gone. */
const LAST_BREATH_MS = 1_000;

/** What came over a channel. */
export interface HandoverContents {
  readonly sockets: readonly SocketRecord[];
  readonly state: HandoverState;
  readonly predecessorPid: number;
  /** The process id as this system knows it; undefined where it does not. */
  readonly knownPid: number | undefined;
}

/** A hand-over whose predecessor waits at the other end of a channel. */
export class ChannelHandover implements Handover {
  readonly sockets: readonly SocketRecord[];
  readonly state: HandoverState;
  readonly predecessorPid: number;
  readonly #knownPid: number | undefined;
  readonly #channel: UpgradeChannel;
  readonly #abandoned = new AbortController();
  #settled = false;

  constructor(channel: UpgradeChannel, { sockets, state, predecessorPid, knownPid }: HandoverContents) {
    this.#channel = channel;
    this.sockets = sockets;
    this.state = state;
    this.predecessorPid = predecessorPid;
    this.#knownPid = knownPid;
    void channel.over.then(() => this.#connectionEnded());
  }

  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  async ready(): Promise<void> {
    this.#settled = true;
    try {
      await this.#channel.send({ type: 'ready' });
      await this.#channel.receive(['confirmed'], CONFIRM_TIMEOUT_MS, 'the predecessor did not confirm');
    } catch (error) {
      const gone = !isRefusal(error) && (await hasEnded(this.#knownPid, LAST_BREATH_MS));
      if (!gone) throw upgradeError('the predecessor goes on serving', error);
    } finally {
      this.#channel.close();
    }
  }

  close(): void {
    this.#settled = true;
    this.#channel.close();
  }

  /** Without a word from it, the predecessor may have died: then this process is needed. */
  async #connectionEnded(): Promise<void> {
    if (this.#settled) return;
    const gone = !this.#channel.refused && (await hasEnded(this.#knownPid, LAST_BREATH_MS));
    if (!gone && !this.#settled) this.#abandoned.abort(upgradeError('the predecessor goes on serving'));
  }
}
