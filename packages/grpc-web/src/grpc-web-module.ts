/**
 * The module that lets browsers talk to gRPC servers: gRPC-Web on the client's side, gRPC on the upstream's.
 *
 * Follows PROTOCOL-WEB of the gRPC project, text mode included. Cross-origin rules are not its business: answer preflight
 * requests and expose `grpc-status` and `grpc-message` in your own phases.
 */
import type { HeaderMap, HttpModule, HttpModuleBuilder, RequestHeader, ResponseHeader } from '@cirque/http';
import { Base64Decoder } from './base64-decoder.ts';
import { type GrpcWebType, grpcType, grpcWebType, parseGrpcWebType } from './media-type.ts';
import { GrpcTextEncoder } from './text-encoder.ts';
import { trailerFrame } from './trailer-frame.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** At work on one gRPC-Web call. */
export class GrpcWeb implements HttpModule {
  readonly #type: GrpcWebType;
  readonly #wantsText: boolean;
  /** There only for text. */
  requestBodyFilter?: (body: Buffer | undefined, endOfStream: boolean) => Buffer | undefined;
  /** There only for text, once the response turns out to be one of gRPC. */
  responseBodyFilter?: (body: Buffer | undefined, endOfStream: boolean) => Buffer;
  /** The response is one of gRPC; others, an error page of a proxy for example, pass as they are. */
  #isGrpc = false;

  constructor(request: RequestHeader, type: GrpcWebType) {
    this.#type = type;
    this.#wantsText = wantsText(request, type);
    if (type.text) this.requestBodyFilter = textDecoder();
  }

  requestHeaderFilter(request: RequestHeader): void {
    request.insertHeader('Content-Type', grpcType(this.#type));
    // gRPC servers may refuse a client that does not say that it takes trailers.
    request.insertHeader('TE', 'trailers');
    if (this.#type.text) request.removeHeader('Content-Length');
  }

  responseHeaderFilter(response: ResponseHeader, endOfStream: boolean): void {
    const type = grpcWebType(response.getHeader('Content-Type') ?? '', this.#wantsText);
    if (type === undefined) return;
    this.#isGrpc = true;
    response.insertHeader('Content-Type', type);
    if (endOfStream) return;
    response.removeHeader('Content-Length');
    if (this.#wantsText) this.responseBodyFilter = textEncoder();
  }

  responseTrailerFilter(trailers: HeaderMap): Buffer | undefined {
    if (!this.#isGrpc) return undefined;
    const frame = trailerFrame(trailers);
    return this.#wantsText ? Buffer.from(frame.toString('base64'), 'latin1') : frame;
  }
}

function textDecoder(): (body: Buffer | undefined, endOfStream: boolean) => Buffer | undefined {
  const decoder = new Base64Decoder();
  return (body, endOfStream) => {
    const bytes = body === undefined ? undefined : decoder.push(body);
    if (endOfStream) decoder.finish();
    return bytes;
  };
}

function textEncoder(): (body: Buffer | undefined, endOfStream: boolean) => Buffer {
  const encoder = new GrpcTextEncoder();
  return (body, endOfStream) => {
    const text = body === undefined ? NOTHING : encoder.push(body);
    return endOfStream ? Buffer.concat([text, encoder.finish()]) : text;
  };
}

/** A client says by Accept what it wants back; one that names no gRPC-Web type gets what it sent. */
function wantsText(request: RequestHeader, type: GrpcWebType): boolean {
  for (const member of request.headers.getAll('Accept').join(',').split(',')) {
    const accepted = parseGrpcWebType(member.trim());
    if (accepted !== undefined) return accepted.text;
  }
  return type.text;
}

/**
 * A builder of {@link GrpcWeb}, for downstream modules. Only POST requests whose Content-Type is of gRPC-Web have such a
 * module; plain gRPC passes beside it.
 */
export function grpcWeb(): HttpModuleBuilder<GrpcWeb> {
  return {
    name: 'grpcWeb',
    create: (request) => {
      if (request.method !== 'POST') return undefined;
      const type = parseGrpcWebType(request.getHeader('Content-Type') ?? '');
      return type === undefined ? undefined : new GrpcWeb(request, type);
    },
  };
}
