/** Entry of @cirque/limits. Only re-exports. */
export type { RowOptions } from './row-memory.ts';
export { SharedGauge, type SharedGaugeOptions } from './shared-gauge.ts';
