/**
 * What the origin behind the gateway does in the cases.
 */
import type { H2Client } from '../../src/h2-client.ts';
import { request } from '../../src/h2-client.ts';
import { PROBE_PATH } from '../../src/h2-origin.ts';
import type { H2ServerRig } from '../../src/h2-rig.ts';
import { type Answer, plainAnswer } from '../../src/recording-origin.ts';

/** The origin answers everything but probes as given. */
export function answerWith(rig: H2ServerRig, answer: Answer): void {
  const plain = plainAnswer();
  rig.origin.answer = (arrival) => (arrival.request.target === PROBE_PATH ? plain(arrival) : answer(arrival));
}

/** The origin gets requests and does not answer them, but for probes. */
export function holdAnswers(rig: H2ServerRig): void {
  answerWith(rig, () => {});
}

/** A request that has come to the origin, which does not answer: its stream is half-closed (remote). */
export async function heldRequest(client: H2Client, rig: H2ServerRig): Promise<number> {
  holdAnswers(rig);
  const id = client.ask(request('/held'));
  await rig.origin.until(() => rig.requests.length === 1, 'the held request');
  return id;
}

/** A request that has been answered: its stream is closed. */
export async function answeredRequest(client: H2Client): Promise<number> {
  const id = client.ask();
  await client.finished(id);
  return id;
}
