/** Entry of @cirque/grpc-web. Only re-exports. */
export {};
