/** Entry of @cirque/adapters/undici. Only re-exports. */
export {};
