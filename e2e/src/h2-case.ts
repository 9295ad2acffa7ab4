/**
 * A case of the proxy as an HTTP/2 server: what the client does, and the courses that the RFC permits.
 */
import { expect } from 'vitest';
import type { Delivery } from './delivery.ts';
import { type H2Client, type H2ClientOptions, request } from './h2-client.ts';
import { Code, DEFAULT_WINDOW, Setting, settings, windowUpdate } from './h2-frames.ts';
import { PROBE_PATH } from './h2-origin.ts';
import type { H2ServerRig } from './h2-rig.ts';
import type { WireRequest } from './wire-reader.ts';

/** One permitted course. */
export type H2Outcome =
  /** GOAWAY with one of the codes, then the end of the connection. */
  | { readonly kind: 'connection-error'; readonly codes: readonly number[] }
  /** RST_STREAM with one of the codes; the connection goes on. */
  | { readonly kind: 'stream-error'; readonly stream: number; readonly codes: readonly number[] }
  /** A whole answer with one of the statuses; the connection goes on. */
  | { readonly kind: 'answer'; readonly stream: number; readonly statuses: readonly number[] }
  /** The end of the connection, whatever comes before it. */
  | { readonly kind: 'closed' }
  /** Nothing happens: the connection goes on. */
  | { readonly kind: 'ignored' };

export interface H2Case {
  readonly name: string;
  /** RFC section or attack class. */
  readonly source: string;
  readonly options?: H2ClientOptions;
  play(client: H2Client, rig: H2ServerRig): void | Promise<void>;
  readonly expect: readonly H2Outcome[];
  /** Whole requests that the origin gets, the probe's not counted. Default: as many as answers of 200 came. */
  readonly forwarded?: number;
  /** Judges what the origin got, or what else the client saw. */
  check?(requests: readonly WireRequest[], client: H2Client): void;
  /** Too much to be sent in small pieces too. */
  readonly large?: boolean;
  /** How long the outcome may take. Default 3,000. */
  readonly timeoutMs?: number;
}

export function connectionError(...codes: number[]): H2Outcome {
  return { kind: 'connection-error', codes };
}

export function streamError(stream: number, ...codes: number[]): H2Outcome {
  return { kind: 'stream-error', stream, codes };
}

export function answer(stream: number = 1, ...statuses: number[]): H2Outcome {
  return { kind: 'answer', stream, statuses: statuses.length === 0 ? [200] : statuses };
}

export const closed: H2Outcome = { kind: 'closed' };
export const ignored: H2Outcome = { kind: 'ignored' };

/** A malformed request (RFC 9113 section 8.1.1): a stream error, or an answer that says so. */
export function malformed(stream: number = 1): readonly H2Outcome[] {
  return [streamError(stream, Code.PROTOCOL_ERROR), answer(stream, 400)];
}

/** Plays the case once. Throws with what came when something else than a permitted course happens. */
export async function runH2Case(rig: H2ServerRig, subject: H2Case, delivery?: Delivery): Promise<void> {
  await rig.revive();
  const client = await rig.h2({ ...subject.options, delivery });
  await subject.play(client, rig);
  const outcome = await settle(client, subject);
  if (outcome.kind === 'connection-error' || outcome.kind === 'closed') {
    await client.closed(subject.timeoutMs);
  }
  const answered = Array.from(client.streams.values()).filter(({ status }) => status === 200).length;
  if (outcome.kind !== 'connection-error' && outcome.kind !== 'closed') await expectAlive(client);
  expect(client.anomalies, `the client got what a server may not send: ${client.describe()}`).toEqual([]);
  await rig.expectService();
  const { requests } = rig;
  const expected = subject.forwarded ?? answered;
  const targets = requests.map(({ startLine }) => startLine);
  expect(requests.length, `whole requests at the origin: ${JSON.stringify(targets)}`).toBe(expected);
  subject.check?.(requests, client);
}

/** Waits until one of the outcomes has come true, or none of them can any more. */
async function settle(client: H2Client, { expect: outcomes, timeoutMs }: H2Case): Promise<H2Outcome> {
  const found = (): H2Outcome | undefined => outcomes.find((outcome) => hasHappened(client, outcome));
  if (outcomes.some(({ kind }) => kind === 'ignored')) await client.roundTrip(timeoutMs);
  else await client.until(() => found() !== undefined || client.isClosed, describe(outcomes), timeoutMs);
  const outcome = found();
  if (outcome === undefined) throw new Error(`expected ${describe(outcomes)}: ${client.describe()}`);
  return outcome;
}

function hasHappened(client: H2Client, outcome: H2Outcome): boolean {
  const stream = 'stream' in outcome ? client.stream(outcome.stream) : undefined;
  switch (outcome.kind) {
    case 'connection-error':
      return client.goaways.some(({ code }) => outcome.codes.includes(code));
    case 'stream-error':
      return stream?.reset !== undefined && outcome.codes.includes(stream.reset);
    case 'answer':
      return stream?.ended === true && outcome.statuses.includes(stream.status ?? 0);
    case 'closed':
      return client.isClosed;
    default:
      return !client.isClosed && client.goaways.length === 0 && Array.from(client.streams.values()).every(isNotReset);
  }
}

function isNotReset({ reset }: { reset: number | undefined }): boolean {
  return reset === undefined;
}

/** The connection has got no GOAWAY and serves another request. */
async function expectAlive(client: H2Client): Promise<void> {
  expect(client.goaways, client.describe()).toEqual([]);
  if (!client.options.giveWindow) {
    client.send(windowUpdate(0, 1_000_000), settings([Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW]));
  }
  const probe = await client.finished(client.ask(request(PROBE_PATH)));
  expect(probe.status, `probe on the same connection: ${client.describe()}`).toBe(200);
}

function describe(outcomes: readonly H2Outcome[]): string {
  return outcomes.map((outcome) => JSON.stringify(outcome)).join(' or ');
}
