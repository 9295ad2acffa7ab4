/**
 * Plays one response case: a client asks, the origin answers with the bytes of the case, and what the client gets and
 * what becomes of both connections is held against the permitted outcomes.
 */
import { expect } from 'vitest';
import type { ResponseCase, ResponseOutcome } from './case.ts';
import type { Delivery } from './delivery.ts';
import { type Arrival, plainAnswer } from './recording-origin.ts';
import { expectInOrder, expectSoundAnswer, linesOf } from './request-runner.ts';
import { PROBE_TARGET, type Rig } from './rig.ts';
import { get, type WireClient } from './wire-client.ts';
import { valuesOf, type WireField } from './wire-head.ts';
import type { WireResponse } from './wire-reader.ts';

const CASE_REQUEST = get('/case');

interface Seen {
  readonly status: number | undefined;
  readonly end: 'complete' | 'truncated';
  readonly response: WireResponse | undefined;
}

/** What the client knows when nothing more will come, or as soon as the answer is complete. */
async function look(client: WireClient): Promise<Seen> {
  const isDone = (): boolean =>
    client.answers.length > 0 || client.ending !== undefined || client.reader.anomalies.length > 0;
  await client.wire.until(isDone, 'an answer or the end of the connection');
  const complete = client.answers[0];
  const response = complete ?? client.reader.current;
  return { status: response?.status, end: complete ? 'complete' : 'truncated', response };
}

function fits(outcome: ResponseOutcome, seen: Seen): boolean {
  return outcome.status === seen.status && outcome.end === seen.end;
}

function expectFields(fields: readonly WireField[], outcome: ResponseOutcome): void {
  if (outcome.inOrder) expectInOrder(linesOf(fields), outcome.inOrder, 'fields at the client');
  for (const name of outcome.lacks ?? []) expect(valuesOf(fields, name), `${name} at the client`).toEqual([]);
}

function expectResponse(client: WireClient, response: WireResponse, outcome: ResponseOutcome): void {
  expectSoundAnswer(response);
  if (outcome.reason !== undefined) expect(response.reason, 'reason phrase').toBe(outcome.reason);
  if (outcome.body !== undefined) {
    expect(response.body.bytes().toString('latin1'), 'body at the client').toBe(outcome.body);
  }
  if (outcome.framing) expect(response.body.framing.kind, 'framing towards the client').toBe(outcome.framing);
  expectFields(response.fields, outcome);
  for (const name of outcome.lacks ?? []) {
    expect(valuesOf(response.body.trailers, name), `${name} in the trailers`).toEqual([]);
  }
  const { interim = [] } = outcome;
  const statuses = client.interim.map((answer) => answer.status);
  if (interim !== 'any') expect(statuses, 'interim answers').toEqual(interim);
}

async function expectClient(client: WireClient, outcome: ResponseOutcome): Promise<void> {
  if (outcome.end === 'truncated' || outcome.client === 'closed') await client.closed();
  expect(client.answers.length, `final answers: ${client.describe()}`).toBe(outcome.end === 'complete' ? 1 : 0);
  if (outcome.client !== 'kept') return;
  client.send(get(PROBE_TARGET));
  const probe = await client.answer(1);
  expect(probe.status, 'probe on the same connection').toBe(200);
  expect(probe.body.bytes().toString('latin1'), 'body of the probe').toBe('ok');
}

async function expectUpstream(rig: Rig, arrival: Arrival, outcome: ResponseOutcome, client: WireClient): Promise<void> {
  const { origin } = rig;
  const used = arrival.connection;
  origin.answer = plainAnswer();
  if (outcome.upstream === 'dropped') {
    await origin.until(() => used.isClosed, 'the end of the upstream connection');
  }
  await expectClient(client, outcome);
  await rig.expectService();
  const later = origin.arrivals.filter(({ request }) => request.target === PROBE_TARGET);
  const same = later.filter(({ connection }) => connection === used).length;
  if (outcome.upstream === 'dropped') expect(same, 'later requests on the dropped connection').toBe(0);
  if (outcome.upstream === 'reused') expect(same, 'later requests on the same connection').toBe(later.length);
}

/** Plays the case once. Throws with the transcript when something else than a permitted outcome happens. */
export async function runResponseCase(rig: Rig, subject: ResponseCase, delivery: Delivery): Promise<void> {
  const { origin } = rig;
  // On a connection of its own: a retry after a stale one would be another story.
  await origin.hangUp();
  const request = subject.request ?? CASE_REQUEST;
  const sent = Promise.withResolvers<void>();
  origin.answer = ({ connection }) => {
    const { wire } = connection;
    const bytes = Buffer.from(subject.bytes, 'latin1');
    void wire.deliver(bytes, delivery).then(() => {
      if (subject.afterwards === 'fin') wire.finish();
      if (subject.afterwards === 'reset') wire.reset();
      sent.resolve();
    });
  };
  const client = await rig.request(request, { methods: [request.slice(0, request.indexOf(' '))] });
  const arrival = await origin.arrival();
  await sent.promise;
  const seen = await look(client);
  const outcome = subject.expect.find((candidate) => fits(candidate, seen));
  if (!outcome || !seen.response) {
    const wanted = subject.expect.map(({ status, end }) => `${status} ${end}`).join(' or ');
    throw new Error(`expected ${wanted}, got ${seen.status} ${seen.end}: ${client.describe()}`);
  }
  expectResponse(client, seen.response, outcome);
  await expectUpstream(rig, arrival, outcome, client);
  expect(client.reader.anomalies, `the client got bytes outside the grammar: ${client.describe()}`).toEqual([]);
  const again = origin.requests.filter((other) => other.target !== PROBE_TARGET);
  expect(again.length, `the request went upstream once: ${origin.describe()}`).toBe(1);
}
