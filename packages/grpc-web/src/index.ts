/** Entry of @cirque/grpc-web. Only re-exports. */
export { GrpcWeb, grpcWeb } from './grpc-web-module.ts';
export { type GrpcWebType, parseGrpcWebType } from './media-type.ts';
export { trailerFrame } from './trailer-frame.ts';
