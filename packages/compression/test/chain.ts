/**
 * A message on its way through modules, as the contract of HttpModule says; for tests.
 */
import { type HttpModule, type HttpModuleBuilder, RequestHeader, type ResponseHeader } from '@cirque/http';

/** What came out of a chain. */
export interface Passed {
  readonly response: ResponseHeader;
  readonly body: Buffer;
}

/** The modules for a request, in the order of their numbers. */
export function modulesFor(request: RequestHeader, builders: readonly HttpModuleBuilder[]): HttpModule[] {
  const sorted = [...builders].sort((a, b) => (b.order ?? 0) - (a.order ?? 0));
  return sorted.map((builder) => builder.create(request)).filter((module) => module !== undefined);
}

/** Passes a response, piece by piece, and closes the modules. Without pieces there is no body at all. */
export async function passResponse(
  modules: readonly HttpModule[],
  response: ResponseHeader,
  pieces?: Iterable<Uint8Array>,
): Promise<Passed> {
  const out: Buffer[] = [];
  const filter = async (piece: Buffer | undefined, endOfStream: boolean): Promise<void> => {
    let body = piece;
    for (const module of modules) {
      const answer = await module.responseBodyFilter?.(body, endOfStream);
      if (answer !== undefined) body = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
    }
    if (body !== undefined) out.push(body);
  };
  try {
    for (const module of modules) module.responseHeaderFilter?.(response, pieces === undefined);
    if (pieces !== undefined) {
      for (const piece of pieces) await filter(Buffer.from(piece), false);
      await filter(undefined, true);
    }
    return { response, body: Buffer.concat(out) };
  } finally {
    for (const module of modules) module.close?.();
  }
}

/** A GET that accepts these codings. */
export function accepting(codings: string | undefined, method = 'GET'): RequestHeader {
  const request = new RequestHeader(method, '/');
  if (codings !== undefined) request.insertHeader('Accept-Encoding', codings);
  return request;
}
