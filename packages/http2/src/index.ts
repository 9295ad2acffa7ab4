/** Entry of @cirque/http2. Only re-exports. */
export {};
