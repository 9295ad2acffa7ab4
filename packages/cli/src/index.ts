/** Entry of @cirque/cli. Only re-exports. */
export {};
