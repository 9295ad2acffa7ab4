/** Entry of @cirque/adapters. Only re-exports; the undici adapter has an entry of its own. */
export * from './fetch.ts';
export * from './http-proxy.ts';
export * from './node.ts';
