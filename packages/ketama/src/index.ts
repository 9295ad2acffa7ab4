/** Entry of @cirque/ketama. Only re-exports. */
export type { KetamaBucket } from './bucket.ts';
export { crc32 } from './crc32.ts';
export { type KetamaOptions, KetamaRing } from './ring.ts';
export { KetamaWalk } from './walk.ts';
