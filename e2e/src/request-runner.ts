/**
 * Plays one request case against the proxy and holds what happened against the permitted outcomes.
 */
import { expect } from 'vitest';
import type { ForwardedView, OriginView, RequestCase, RequestOutcome } from './case.ts';
import type { Delivery } from './delivery.ts';
import { PROBE_TARGET, type Rig } from './rig.ts';
import { get, type WireClient } from './wire-client.ts';
import { tokensOf, valuesOf, type WireField } from './wire-head.ts';
import type { WireRequest, WireResponse } from './wire-reader.ts';

const IMF_FIXDATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Field lines in the form in which the corpus writes them. */
export function linesOf(fields: readonly WireField[]): string[] {
  return fields.map(({ name, value }) => `${name}: ${value}`);
}

/** `wanted` occurs in `lines` as a subsequence. */
export function expectInOrder(lines: readonly string[], wanted: readonly string[], what: string): void {
  let at = 0;
  for (const line of lines) if (line === wanted[at]) at++;
  expect(wanted.slice(at), `${what}: missing or out of order in ${JSON.stringify(lines)}`).toEqual([]);
}

/** Rules for every final answer, whoever made it (RFC 9110 section 6.6.1; RFC 9112 section 6). */
export function expectSoundAnswer(answer: WireResponse): void {
  expect(answer.version, 'version of the answer').toBe('HTTP/1.1');
  const dates = valuesOf(answer.fields, 'date');
  expect(dates.length, `Date fields of ${answer.startLine}`).toBe(1);
  expect(dates[0]).toMatch(IMF_FIXDATE);
  expect(answer.body.sawExtension, 'chunk extension towards the client').toBe(false);
}

/** Framing is the proxy's own business: the reader has judged it already. */
function isCoding(line: string): boolean {
  return line.toLowerCase().startsWith('transfer-encoding:');
}

function expectForwarded(request: WireRequest, view: ForwardedView): void {
  const { method, target, body, host, inOrder, exactly, lacks = [] } = view;
  expect(request.version, 'version towards the origin').toBe('HTTP/1.1');
  if (method !== undefined) expect(request.method).toBe(method);
  if (target !== undefined) expect([target].flat(), 'target at the origin').toContain(request.target);
  if (body !== undefined) expect(request.body.bytes().toString('latin1'), 'body at the origin').toBe(body);
  const hosts = valuesOf(request.fields, 'host');
  expect(hosts.length, 'Host fields at the origin').toBe(1);
  if (typeof host === 'string') expect(hosts[0]).toBe(host);
  if (host instanceof RegExp) expect(hosts[0]).toMatch(host);
  const lines = linesOf(request.fields);
  if (inOrder) expectInOrder(lines, inOrder, 'fields at the origin');
  if (exactly)
    expect(
      lines.filter((line) => !isCoding(line)),
      'fields at the origin',
    ).toEqual(exactly);
  for (const name of lacks) {
    expect([...valuesOf(request.fields, name), ...valuesOf(request.body.trailers, name)], `${name} at origin`).toEqual(
      [],
    );
  }
  expect(request.body.sawExtension, 'chunk extension towards the origin').toBe(false);
}

async function expectOrigin(rig: Rig, view: OriginView, forwarded: readonly ForwardedView[]): Promise<void> {
  const { origin } = rig;
  if (view.partial === 'aborted') {
    const left = (): boolean => origin.unfinished.every((connection) => connection.isClosed);
    await origin.until(left, 'the end of the upstream connection with the unfinished request');
  } else {
    expect(origin.unfinished.length, `bytes of an unfinished request: ${origin.describe()}`).toBe(0);
  }
  const requests = origin.requests.filter((request) => request.target !== PROBE_TARGET);
  expect(requests.length, `complete requests: ${origin.describe()}`).toBe(view.complete);
  for (const [index, wanted] of forwarded.entries()) expectForwarded(requests[index] as WireRequest, wanted);
}

/** Picks the outcome whose answers came. Waits for as many answers as the longest still possible outcome has. */
async function settle(client: WireClient, outcomes: readonly RequestOutcome[]): Promise<RequestOutcome> {
  const fits = (outcome: RequestOutcome): boolean =>
    outcome.answers.length === client.answers.length &&
    outcome.answers.every((status, index) => client.answers[index]?.status === status);
  const isStuck = (): boolean => client.ending !== undefined || client.reader.anomalies.length > 0;
  const longest = Math.max(...outcomes.map((outcome) => outcome.answers.length));
  const isDone = (): boolean => outcomes.some(fits) || client.answers.length >= longest || isStuck();
  const wanted = outcomes.map((outcome) => JSON.stringify(outcome.answers)).join(' or ');
  await client.wire.until(isDone, `answers ${wanted}`);
  const found = outcomes.find(fits);
  if (found) return found;
  const statuses = client.answers.map((answer) => answer.status);
  throw new Error(`expected answers ${wanted}, got ${JSON.stringify(statuses)}: ${client.describe()}`);
}

async function expectConnection(client: WireClient, outcome: RequestOutcome): Promise<void> {
  const last = client.answers.at(-1);
  if (outcome.connection === 'closed') {
    await client.closed();
    expect(client.answers.length, `answers in all: ${client.describe()}`).toBe(outcome.answers.length);
    if (last) expect(tokensOf(last.fields, 'connection'), 'the last answer announces the close').toContain('close');
    return;
  }
  if (
    outcome.connection === 'either' &&
    (client.ending || tokensOf(last?.fields ?? [], 'connection').includes('close'))
  )
    return;
  client.send(get(PROBE_TARGET));
  const answer = await client.answer(outcome.answers.length);
  expect(answer.status, 'probe on the same connection').toBe(200);
  expect(answer.body.bytes().toString('latin1'), 'body of the probe').toBe('ok');
  expect(client.answers.length, `answers in all: ${client.describe()}`).toBe(outcome.answers.length + 1);
}

/** Plays the case once. Throws with the transcript when something else than a permitted outcome happens. */
export async function runRequestCase(rig: Rig, subject: RequestCase, delivery: Delivery): Promise<void> {
  const client = await rig.connect({ methods: subject.methods ?? [] });
  await client.deliver(subject.bytes, delivery);
  const outcome = await settle(client, subject.expect);
  await expectConnection(client, outcome);
  expect(client.reader.anomalies, `the client got bytes outside the grammar: ${client.describe()}`).toEqual([]);
  for (const answer of client.answers) expectSoundAnswer(answer);
  await rig.expectService();
  await expectOrigin(rig, outcome.origin, outcome.forwarded ?? []);
}
