/** Entry of @cirque/limits. Only re-exports. */
