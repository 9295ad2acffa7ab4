/** Entry of @cirque/cli. Only re-exports. */
export type * from './config/gateway-config.ts';
export { GatewayConfigError, type GatewayProblem } from './config/gateway-config-error.ts';
export { gatewayConfigFromText, type LoadOptions, loadGatewayConfig } from './config/load.ts';
export { type QuickOptions, quickConfig } from './config/quick-config.ts';
export { gatewayJsonSchema, type JsonSchema } from './schema/json-schema.ts';
export { gatewayReference, type ReferenceSection } from './schema/reference-table.ts';
