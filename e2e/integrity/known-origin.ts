/**
 * The application behind the soak: checks that each request is what its plan says, and answers as it says.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '@cirque/testing';
import { breakOff, type OriginApp } from '../src/four-origins.ts';
import { BodyCheck, knownBody } from './known-body.ts';
import { type Plan, padOf, planIn, UPLOAD } from './plan.ts';

export class KnownOrigin {
  /** What was wrong with requests. */
  readonly problems: string[] = [];
  /** How often each request came. */
  readonly served: Map<number, number> = new Map();

  readonly app: OriginApp = (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const plan = planIn(request.url ?? '');
    this.served.set(plan.id, (this.served.get(plan.id) ?? 0) + 1);
    if (Number(request.headers['x-id']) !== plan.id || request.headers['x-pad'] !== padOf(plan.id))
      this.problems.push(`request ${plan.id}: foreign head ${JSON.stringify(request.headers)}`);
    this.#answer(plan, request, response).catch((error: unknown) => this.problems.push(String(error)));
  };

  async #answer(plan: Plan, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upload = new BodyCheck(plan.id + UPLOAD, plan.upload);
    const hash = createHash('sha256');
    let whole = false;
    request.on('end', () => {
      whole = true;
      upload.end();
    });
    if (plan.echo) writeHead(plan, response);
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        upload.push(chunk);
        hash.update(chunk);
        if (plan.echo) await write(response, chunk);
      }
    } catch {
      // The client has left; what came until then counts.
    }
    if (upload.problem !== undefined) this.problems.push(`upload ${plan.id}: ${upload.problem}`);
    if (!whole) return;
    if (!plan.echo) {
      response.setHeader('x-upload', hash.digest('hex'));
      writeHead(plan, response);
      if (!(await writeBody(plan, response))) return;
    }
    if (plan.trailers) response.addTrailers({ 'x-trailer-id': String(plan.id) });
    response.end();
  }
}

function writeHead(plan: Plan, response: ServerResponse): void {
  response.setHeader('x-id', plan.id);
  response.setHeader('x-pad', padOf(plan.id));
  response.setHeader('content-type', plan.gzip ? 'text/plain' : 'application/x-known');
  if (plan.responseLength) response.setHeader('content-length', plan.size);
  if (plan.trailers) response.setHeader('trailer', 'x-trailer-id');
  response.writeHead(200);
}

/** False when the response was broken off. */
async function writeBody(plan: Plan, response: ServerResponse): Promise<boolean> {
  const random = new SeededRandom(plan.seed);
  const body = knownBody(plan.id, plan.breakAt < 0 ? plan.size : plan.breakAt);
  for (let at = 0; at < body.length; ) {
    const end = Math.min(body.length, at + random.pick([random.int(1, 500), 8_192, 16_384, 65_536, 200_000]));
    await write(response, body.subarray(at, end));
    if (random.chance(0.2)) await nextTurn();
    at = end;
  }
  if (plan.breakAt < 0) return true;
  await nextTurn();
  breakOff(response, constants.NGHTTP2_INTERNAL_ERROR);
  return false;
}

/** Writes, and waits until there is room for more. */
async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  if (response.destroyed || response.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn).off('close', goOn);
      resolve();
    };
    response.on('drain', goOn).on('close', goOn);
  });
}
