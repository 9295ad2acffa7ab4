/**
 * Media types of gRPC and gRPC-Web, and the way from one to the other.
 *
 * `application/grpc-web+proto` and `application/grpc-web-text+proto` stand for `application/grpc+proto`. Parameters mean
 * nothing to gRPC and are dropped.
 */

/** What a gRPC-Web media type says. */
export interface GrpcWebType {
  /** Bodies are base64 text. */
  readonly text: boolean;
  /** The message format with its plus sign (`+proto`); empty when the type does not say it. */
  readonly format: string;
}

const GRPC_WEB = /^application\/grpc-web(-text)?(\+[\w.-]+)?[ \t]*(?:;|$)/i;
const GRPC = /^application\/grpc(\+[\w.-]+)?[ \t]*(?:;|$)/i;

/** Reads a Content-Type, or one member of Accept; undefined when it is not of gRPC-Web. */
export function parseGrpcWebType(value: string): GrpcWebType | undefined {
  const parts = GRPC_WEB.exec(value);
  return parts === null ? undefined : { text: parts[1] !== undefined, format: parts[2] ?? '' };
}

/** The Content-Type that a gRPC server understands. */
export function grpcType(type: GrpcWebType): string {
  return `application/grpc${type.format}`;
}

/** The Content-Type for a gRPC-Web client of a gRPC response; undefined when the response is not of gRPC. */
export function grpcWebType(contentType: string, text: boolean): string | undefined {
  const parts = GRPC.exec(contentType);
  return parts === null ? undefined : `application/grpc-web${text ? '-text' : ''}${parts[1] ?? ''}`;
}
