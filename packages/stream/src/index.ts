/** Entry of @cirque/stream. Only re-exports. */
export {};
