/** Entry of @cirque/adapters/node. Only re-exports. */
export type { AppOptions, Servable } from './app-of.ts';
export { type NodeHandler, type NodeHandlerOptions, toNodeHandler } from './node/node-handler.ts';
export type { NodeRequest } from './node/request-head.ts';
export type { NodeResponse } from './node/response-sink.ts';
export { toUpgradeHandler, type UpgradeHandler } from './node/upgrade-handler.ts';
