/**
 * The phases of one request while somebody listens to their channels: each call is published. Made for such requests only,
 * so that all others call their phases as ever.
 */
import { CirqueError } from '@cirque/error';
import { type PhaseMessage, phaseChannel } from './diagnostics.ts';
import { type Hooks, isThenable } from './hooks.ts';
import { PHASES, type PhaseName } from './phases.ts';
import type { Session } from './session.ts';

/** The request that the phases belong to. */
export interface WatchedRequest {
  readonly session: Session;
  readonly ctx: unknown;
}

/** A message while its call goes on. */
type Draft = { -readonly [Name in keyof PhaseMessage]: PhaseMessage[Name] };

type Phase = (...values: unknown[]) => unknown;

/**
 * The phases of a request, published. Absent ones do nothing and are published all the same, but for those per chunk: a body
 * without a filter is not taken apart.
 */
export function watchedHooks<Ctx>(hooks: Hooks<Ctx>, request: WatchedRequest): Hooks<Ctx> {
  const watched: Record<string, unknown> = {};
  for (const { name, runs } of PHASES) {
    const hook = hooks[name] as Phase | undefined;
    if (hook === undefined && runs === 'per chunk') continue;
    watched[name] = (...values: unknown[]) => published(name, hook ?? nothing, request, values);
  }
  return watched as unknown as Hooks<Ctx>;
}

function published(phase: PhaseName, hook: Phase, { session, ctx }: WatchedRequest, values: unknown[]): unknown {
  const channel = phaseChannel(phase);
  if (!channel.hasSubscribers) return hook(...values);
  const message: Draft = { phase, session, ctx };
  const failure = values.find((value) => CirqueError.is(value));
  if (failure !== undefined) message.failure = failure;
  try {
    // Within the stores that were bound to the channel (AsyncLocalStorage).
    const answer = channel.start.runStores(message, hook, undefined, ...values);
    if (isThenable(answer)) return settled(answer, message);
    message.result = answer;
    return answer;
  } catch (error) {
    message.error = error;
    channel.error.publish(message);
    throw error;
  } finally {
    channel.end.publish(message);
  }
}

async function settled(answer: PromiseLike<unknown>, message: Draft): Promise<unknown> {
  const channel = phaseChannel(message.phase);
  try {
    message.result = await answer;
    return message.result;
  } catch (error) {
    message.error = error;
    channel.error.publish(message);
    throw error;
  } finally {
    channel.asyncStart.publish(message);
    channel.asyncEnd.publish(message);
  }
}

function nothing(): undefined {
  return undefined;
}
