/** Entry of @cirque/adapters/fetch. Only re-exports. */
export {};
