/** Entry of @cirque/compression. Only re-exports. */
export { codingWeight, type Negotiated, negotiate, parseAcceptEncoding } from './accept-encoding.ts';
export { ALGORITHMS, type Algorithm } from './algorithm.ts';
export type { CompressionOptions } from './compression-options.ts';
export type { DecodingOptions, DecompressionOptions } from './decompression-options.ts';
export { isCompressible } from './policy.ts';
export { RequestDecompression, requestDecompression } from './request-decompression.ts';
export { compression, ResponseCompression } from './response-compression.ts';
export { decompression, ResponseDecompression } from './response-decompression.ts';
