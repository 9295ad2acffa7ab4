/**
 * Feeds a virtual request from the body of a request of node:http, as fast as it is wanted.
 */
import type { VirtualServerSession } from '@cirque/core';
import { HeaderMap } from '@cirque/http';
import type { NodeRequest } from './request-head.ts';

/** See the file's head. */
export class NodeRequestBody {
  readonly #request: NodeRequest;
  readonly #session: VirtualServerSession;

  constructor(request: NodeRequest, session: VirtualServerSession) {
    this.#request = request;
    this.#session = session;
  }

  /** Begins to read; after a {@link pause} it waits. */
  start(): void {
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  /** Reads on, but for nobody: the connection cannot serve the next request before that. */
  stop(): void {
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    this.#request.resume();
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#session.feedBody(bytes, 0, bytes.length);
  };

  readonly #onEnd = (): void => this.#session.feedEnd(trailersOf(this.#request));
}

function trailersOf({ rawTrailers }: NodeRequest): HeaderMap | undefined {
  if (rawTrailers.length === 0) return undefined;
  const trailers = HeaderMap.empty();
  for (let at = 0; at + 1 < rawTrailers.length; at += 2) {
    trailers.append(rawTrailers[at] as string, rawTrailers[at + 1] as string);
  }
  return trailers;
}
