/**
 * Judges one response against its plan: head, every byte, trailers, and whether it ended as it had to.
 */
import { createGunzip, type Gunzip } from 'node:zlib';
import { BodyCheck, knownBody } from './known-body.ts';
import { type Plan, padOf, UPLOAD } from './plan.ts';

/** A field of a head, or of trailers. */
export type FieldOf = (name: string) => string | undefined;

/** One response. A client calls {@link head}, {@link data}, and at last {@link end} or {@link broken}. */
export class ResponseCheck {
  /** What was wrong; undefined when nothing was. */
  readonly verdict: Promise<string | undefined>;
  readonly plan: Plan;
  /** Bytes of the content as it came. */
  received = 0;
  readonly #body: BodyCheck;
  readonly #settle: (problem: string | undefined) => void;
  #problem: string | undefined;
  #gunzip: Gunzip | undefined;
  /** The head is that of the origin's response. */
  #answered = false;
  #cancelled = false;

  constructor(plan: Plan) {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.verdict = promise;
    this.#settle = resolve;
    this.plan = plan;
    this.#body = new BodyCheck(plan.echo ? plan.id + UPLOAD : plan.id, plan.size);
  }

  /** The client leaves. */
  cancel(): void {
    this.#cancelled = true;
    this.broken('cancelled');
  }

  head(status: number, field: FieldOf): void {
    const { plan } = this;
    // An origin that breaks off may do so before its head is seen.
    if (status === 502 && plan.breakAt >= 0) return;
    this.#answered = true;
    if (status !== 200) this.#note(`status ${status}`);
    else if (field('x-id') !== String(plan.id)) this.#note(`foreign head, of ${field('x-id')}`);
    else if (field('x-pad') !== padOf(plan.id)) this.#note(`foreign field ${field('x-pad')}`);
    const encoded = field('content-encoding') === 'gzip';
    if (encoded && !plan.gzip) this.#note('an encoding that nobody asked for');
    const length = field('content-length');
    if (length !== undefined && (encoded || Number(length) !== plan.size)) this.#note(`Content-Length ${length}`);
    if (encoded) this.#decode();
  }

  data(chunk: Buffer): void {
    this.received += chunk.length;
    if (!this.#answered) return;
    if (this.#gunzip === undefined) this.#body.push(chunk);
    else this.#gunzip.write(chunk);
  }

  end(trailer: FieldOf): void {
    if (!this.#answered) {
      this.#finish(undefined);
    } else if (this.plan.breakAt >= 0) {
      this.#finish('a response that was broken off looks complete');
    } else {
      if (this.plan.trailers && trailer('x-trailer-id') !== String(this.plan.id))
        this.#note(`trailer ${trailer('x-trailer-id')}`);
      if (this.#gunzip === undefined) this.#ended();
      else this.#gunzip.end();
    }
  }

  broken(reason: string): void {
    const expected = this.#cancelled || this.plan.breakAt >= 0;
    this.#finish(expected ? undefined : `broken after ${this.received} bytes: ${reason}`);
  }

  #decode(): void {
    this.#gunzip = createGunzip();
    this.#gunzip.on('data', (chunk: Buffer) => this.#body.push(chunk));
    this.#gunzip.on('end', () => this.#ended());
    this.#gunzip.on('error', (error) => this.#finish(`gzip: ${error.message}`));
  }

  #ended(): void {
    this.#body.end();
    this.#finish(undefined);
  }

  #note(problem: string): void {
    this.#problem ??= problem;
  }

  #finish(problem: string | undefined): void {
    const found = this.#problem ?? this.#body.problem ?? problem;
    this.#gunzip?.destroy();
    this.#settle(found === undefined ? undefined : `${found}; plan ${JSON.stringify(this.plan)}`);
  }
}

/** The body of the request. */
export function uploadOf({ id, upload }: Plan): Buffer {
  return knownBody(id + UPLOAD, upload);
}
