/** Entry of @cirque/adapters/node. Only re-exports. */
export {};
