/**
 * What the clients of the soak have in common: the fields of a request, how its body is sent and how a response is read.
 */
import type { Readable, Writable } from 'node:stream';
import type { OriginKind } from '../src/four-origins.ts';
import { type Plan, padOf } from './plan.ts';
import { type FieldOf, type ResponseCheck, uploadOf } from './response-check.ts';

/** One client with connections of its own, which its requests share. */
export interface SoakClient {
  /** Makes requests to an origin; answers what was wrong with them. */
  run(plans: readonly Plan[], to: OriginKind): Promise<readonly (string | undefined)[]>;
  /** All connections are closed. */
  close(): Promise<void>;
}

export const PIECE = 40_000;

/** The fields of the request, without those of its framing. */
export function fieldsOf(plan: Plan, to: OriginKind): Record<string, string> {
  return {
    'x-upstream': to,
    'x-id': String(plan.id),
    'x-pad': padOf(plan.id),
    te: 'trailers',
    ...(plan.filter === 'none' ? {} : { 'x-filter': plan.filter }),
    ...(plan.lateHead ? { 'x-late': '1' } : {}),
    ...(plan.gzip ? { 'accept-encoding': 'gzip' } : {}),
    ...(plan.upload > 0 && plan.requestLength ? { 'content-length': String(plan.upload) } : {}),
  };
}

export function sendUpload(target: Writable, plan: Plan): void {
  const body = uploadOf(plan);
  for (let at = 0; at < body.length; at += PIECE) target.write(body.subarray(at, at + PIECE));
  target.end();
}

export function fieldIn(fields: Readonly<Record<string, unknown>>): FieldOf {
  return (name) => (fields[name] === undefined ? undefined : String(fields[name]));
}

/** Gives what is read to the check, as slowly as the plan says; `cancel` when the client is to leave. */
export function readBody(body: Readable, check: ResponseCheck, cancel: () => void): void {
  const { reading, size, cancelAt } = check.plan;
  let pauses = reading === 'fast' ? 0 : reading === 'slow' ? 6 : 1;
  const timers = new Set<NodeJS.Timeout>();
  const pauseFor = (ms: number): void => {
    pauses -= 1;
    body.pause();
    const timer = setTimeout(() => {
      timers.delete(timer);
      body.resume();
    }, ms);
    timers.add(timer);
  };
  body.on('data', (chunk: Buffer) => {
    check.data(chunk);
    if (cancelAt >= 0 && check.received >= cancelAt) leave(check, cancel);
    else if (pauses > 0 && check.received > size / (pauses + 1)) pauseFor(reading === 'slow' ? 5 : 60);
  });
  body.on('close', () => {
    for (const timer of timers) clearTimeout(timer);
  });
  if (cancelAt === 0) leave(check, cancel);
}

function leave(check: ResponseCheck, cancel: () => void): void {
  check.cancel();
  cancel();
}
