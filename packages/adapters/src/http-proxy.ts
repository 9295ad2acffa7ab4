/** Entry of @cirque/adapters/http-proxy. Only re-exports. */
export {};
