/**
 * The channels of node:diagnostics_channel on which a proxy tells of its requests and their phases. Names and messages are
 * public API.
 */
import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { CirqueError } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import { PHASES, type PhaseName } from './phases.ts';
import type { Session } from './session.ts';

/** The channels of whole requests, and when each is published. */
export const PROXY_CHANNELS = {
  /** A request is about to get its context. */
  requestStart: 'cirque:proxy:request:start',
  /** A request is over: its last phase has run. */
  requestEnd: 'cirque:proxy:request:end',
} as const;

/** What is published on {@link PROXY_CHANNELS}; both ends of a request have the same `session`. */
export interface RequestMessage {
  readonly session: Session;
  /** At the end: the context of the request. */
  readonly ctx?: unknown;
  /** At the end: why the request failed, if it did. */
  readonly error?: CirqueError | undefined;
  /** At the end: the peer of the last attempt. */
  readonly peer?: Peer | undefined;
}

/**
 * What is published on the tracing channel of a phase: one object for all events of one call, so that stores and spans can
 * be joined to it.
 */
export interface PhaseMessage {
  readonly phase: PhaseName;
  readonly session: Session;
  /** The context of the request; undefined for `newCtx`, which makes it. */
  readonly ctx: unknown;
  /** What the phase judges, for the phases that run on failure and for `logging`. */
  readonly failure?: CirqueError | undefined;
  /** What the phase has answered: at `end` when it answered at once, at `asyncEnd` else. */
  readonly result?: unknown;
  /** What the phase has thrown: at `error`, and what follows. */
  readonly error?: unknown;
}

export const requestStart: Channel<RequestMessage> = channel(PROXY_CHANNELS.requestStart);
export const requestEnd: Channel<RequestMessage> = channel(PROXY_CHANNELS.requestEnd);

/** Name of the tracing channel of a phase, for `tracingChannel(name)` of node:diagnostics_channel. */
export function phaseChannelName(phase: PhaseName): string {
  return `cirque:proxy:${phase}`;
}

const phaseChannels: ReadonlyMap<PhaseName, TracingChannel<PhaseMessage>> = new Map(
  PHASES.map(({ name }) => [name, tracingChannel<PhaseMessage>(phaseChannelName(name))]),
);
const allPhaseChannels = [...phaseChannels.values()];

export function phaseChannel(phase: PhaseName): TracingChannel<PhaseMessage> {
  return phaseChannels.get(phase) as TracingChannel<PhaseMessage>;
}

/** Somebody listens to a phase. Asked once per request: 20 ns. */
export function phasesAreWatched(): boolean {
  for (const one of allPhaseChannels) if (one.hasSubscribers) return true;
  return false;
}
