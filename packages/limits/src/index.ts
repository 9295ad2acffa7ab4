/** Entry of @cirque/limits. Only re-exports. */
export { Estimator } from './estimator.ts';
export { type Guard, Inflight } from './inflight.ts';
export type { LimitKey } from './key-hash.ts';
export { proportionalRate, Rate, type RateComponents, type RateOptions } from './rate.ts';
export type { RowOptions } from './row-memory.ts';
export type { Clock } from './shared-clock.ts';
export { SharedGauge, type SharedGaugeOptions } from './shared-gauge.ts';
export type { SketchOptions } from './sketch.ts';
