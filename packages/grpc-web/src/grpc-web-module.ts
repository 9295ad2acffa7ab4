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

/** At work on one gRPC-Web call. */
export class GrpcWeb implements HttpModule {
  readonly #type: GrpcWebType;
  readonly #wantsText: boolean;
  readonly #decoder: Base64Decoder | undefined;
  #encoder: GrpcTextEncoder | undefined;
  /** The response is one of gRPC; others, an error page of a proxy for example, pass as they are. */
  #isGrpc = false;

  constructor(request: RequestHeader, type: GrpcWebType) {
    this.#type = type;
    this.#wantsText = wantsText(request, type);
    if (type.text) this.#decoder = new Base64Decoder();
  }

  requestHeaderFilter(request: RequestHeader): void {
    request.insertHeader('Content-Type', grpcType(this.#type));
    // gRPC servers may refuse a client that does not say that it takes trailers.
    request.insertHeader('TE', 'trailers');
    if (this.#type.text) request.removeHeader('Content-Length');
  }

  requestBodyFilter(body: Buffer | undefined, endOfStream: boolean): Buffer | undefined {
    const bytes = body === undefined ? undefined : this.#decoder?.push(body);
    if (endOfStream) this.#decoder?.finish();
    return bytes;
  }

  responseHeaderFilter(response: ResponseHeader, endOfStream: boolean): void {
    const type = grpcWebType(response.getHeader('Content-Type') ?? '', this.#wantsText);
    if (type === undefined) return;
    this.#isGrpc = true;
    response.insertHeader('Content-Type', type);
    if (endOfStream) return;
    response.removeHeader('Content-Length');
    if (this.#wantsText) this.#encoder = new GrpcTextEncoder();
  }

  responseBodyFilter(body: Buffer | undefined, endOfStream: boolean): Buffer | undefined {
    const encoder = this.#encoder;
    if (encoder === undefined) return undefined;
    const text = body === undefined ? undefined : encoder.push(body);
    if (!endOfStream) return text;
    return text === undefined ? encoder.finish() : Buffer.concat([text, encoder.finish()]);
  }

  responseTrailerFilter(trailers: HeaderMap): Buffer | undefined {
    if (!this.#isGrpc) return undefined;
    const frame = trailerFrame(trailers);
    return this.#wantsText ? Buffer.from(frame.toString('base64'), 'latin1') : frame;
  }
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
