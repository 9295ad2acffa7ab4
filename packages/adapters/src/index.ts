/** Entry of @cirque/adapters. Only re-exports. */
export {};
