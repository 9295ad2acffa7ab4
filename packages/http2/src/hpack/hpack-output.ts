/**
 * Where the encoder writes: a buffer that its owner lets grow. The contract only; the engine's frame writer fulfils it.
 */

/** Encoded octets go to `buffer` at `length`, which moves on. */
export interface HpackOutput {
  /** May be another object after {@link reserve}. */
  buffer: Buffer;
  /** Octets in use. */
  length: number;
  /** Makes sure that `bytes` octets fit behind `length`; keeps what is in use. */
  reserve(bytes: number): void;
}
