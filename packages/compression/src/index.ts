/** Entry of @cirque/compression. Only re-exports. */
export {};
