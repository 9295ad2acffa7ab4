/**
 * A case of the proxy as an HTTP/2 client: what the origin does, and the courses that are permitted.
 */
import { expect } from 'vitest';
import type { H2Field } from './h2-hpack.ts';
import type { H2OriginConnection, H2Script } from './h2-origin.ts';
import type { H2ClientRig } from './h2-rig.ts';
import type { H2StreamRecord } from './h2-stream-record.ts';
import { get, type WireClient } from './wire-client.ts';
import type { WireResponse } from './wire-reader.ts';

/** One permitted course. */
export interface OriginOutcome {
  readonly status: number;
  readonly body?: string;
  /** `truncated`: the client can tell that the message did not come to its end. Default `complete`. */
  readonly end?: 'complete' | 'truncated';
  /**
   * What becomes of the connection to the origin. `failed`: GOAWAY with one of the codes, then its end. `reset`: RST_STREAM
   * with one of the codes, and it goes on. `kept`: it goes on. `closed`: it ends.
   */
  readonly upstream: 'failed' | 'reset' | 'kept' | 'closed' | 'any';
  readonly codes?: readonly number[];
}

export interface OriginCase {
  readonly name: string;
  /** RFC section or attack class. */
  readonly source: string;
  readonly script: H2Script;
  /** The connection to the origin has served before: its settings are known. */
  readonly warm?: boolean;
  /** What the client sends. Default: a plain GET. */
  readonly request?: string;
  readonly methods?: readonly string[];
  readonly expect: readonly OriginOutcome[];
  /** Requests at the origin in all. Default 1. */
  readonly attempts?: number | 'any';
  check?(answer: WireResponse, arrived: H2StreamRecord, client: WireClient): void;
  readonly timeoutMs?: number;
}

/** An answer of 502, and the connection ends with one of the codes. */
export function badGateway(...codes: number[]): OriginOutcome {
  return { status: 502, upstream: 'failed', codes };
}

/** An answer of 502, and only the stream ends, with one of the codes. */
export function badAnswer(...codes: number[]): OriginOutcome {
  return { status: 502, upstream: 'reset', codes };
}

/** An answer that is cut, and only the stream ends. */
export function cutAnswer(...codes: number[]): OriginOutcome {
  return { status: 200, end: 'truncated', upstream: 'reset', codes };
}

/** The plain answer; the connection goes on. */
export const plain: OriginOutcome = { status: 200, body: 'ok', upstream: 'kept' };

/** Plays the case once. */
export async function runOriginCase(rig: H2ClientRig, subject: OriginCase): Promise<void> {
  await rig.revive();
  const { origin } = rig;
  origin.script = subject.script;
  if (subject.warm) await rig.probe();
  const client = await rig.h1(subject.methods);
  client.send(subject.request ?? get('/'));
  const isDone = (): boolean =>
    client.answers.length > 0 || client.ending !== undefined || client.reader.anomalies.length > 0;
  await client.wire.until(isDone, `an answer; ${origin.describe()}`, subject.timeoutMs);
  const answer = client.answers[0] ?? client.reader.current;
  const end = client.answers.length > 0 ? 'complete' : 'truncated';
  const outcome = subject.expect.find((one) => one.status === answer?.status && (one.end ?? 'complete') === end);
  const seen = `status ${answer?.status}, ${end}: ${client.describe()}; ${origin.describe()}`;
  if (outcome === undefined || answer === undefined) throw new Error(`not a permitted outcome: ${seen}`);
  if (outcome.body !== undefined) expect(answer.body.bytes().toString('latin1'), seen).toBe(outcome.body);
  if (end === 'complete') expect(client.reader.anomalies, seen).toEqual([]);
  const connection = origin.arrivals[0]?.connection ?? origin.connections[0];
  if (connection === undefined) throw new Error(`no connection to the origin: ${seen}`);
  await expectUpstream(connection, origin.arrivals[0]?.stream, outcome);
  if (subject.attempts !== 'any') expect(origin.arrivals.length, `attempts: ${seen}`).toBe(subject.attempts ?? 1);
  const arrived = origin.arrivals.at(-1)?.stream;
  if (arrived !== undefined) subject.check?.(answer, arrived, client);
  const before = origin.connections.length;
  await rig.expectService();
  if (outcome.upstream === 'kept' || outcome.upstream === 'reset') {
    expect(origin.connections.length, `the next request goes over the same connection: ${origin.describe()}`).toBe(
      before,
    );
  }
}

async function expectUpstream(
  connection: H2OriginConnection,
  stream: H2StreamRecord | undefined,
  { upstream, codes = [] }: OriginOutcome,
): Promise<void> {
  if (upstream === 'failed') {
    // The reset of a connection on which frames are under way can overtake its GOAWAY.
    const failed = (): boolean =>
      connection.goaways.some(({ code }) => codes.includes(code)) || connection.wire.ending === 'reset';
    await connection.until(failed, `GOAWAY with ${codes}`);
    for (const { code } of connection.goaways) expect(codes, connection.describe()).toContain(code);
  }
  if (upstream === 'failed' || upstream === 'closed') {
    await connection.until(() => connection.isClosed, 'the end of the connection to the origin');
  }
  if (upstream === 'reset') {
    await connection.until(() => stream?.reset !== undefined, 'RST_STREAM at the origin');
    expect(codes, connection.describe()).toContain(stream?.reset);
  }
  if (upstream === 'kept' || upstream === 'reset') expect(connection.isClosed, connection.describe()).toBe(false);
}

/** The field lines of an answer as the client got them. */
export function fieldLines(answer: WireResponse): string[] {
  return answer.fields.map(({ name, value }) => `${name.toLowerCase()}: ${value}`);
}

/** The fields of a request as the origin got them. */
export function requestLines(stream: H2StreamRecord): string[] {
  return (stream.head ?? []).map(([name, value]: H2Field) => `${name}: ${value}`);
}
