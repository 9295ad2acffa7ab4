/** Entry of @cirque/testing. Only re-exports. */
export { ByteInbox, type CloseKind, type Pattern } from './byte-inbox.ts';
export { type DuplexPairOptions, duplexPair } from './duplex-pair.ts';
export { FakeClock } from './fake-clock.ts';
export {
  byteByByte,
  cutAt,
  cutAtRandom,
  type Feeding,
  type FeedingOptions,
  feed,
  feedings,
  feedSync,
  toBytes,
} from './feed.ts';
export { LeakCheck, type LeakCheckOptions } from './leak-check.ts';
export { OriginConnection, type OriginStep } from './origin-connection.ts';
export { type RawAddress, RawClient } from './raw-client.ts';
export { SeededRandom } from './seeded-random.ts';
export { type CertificateRequest, type IssuedCertificate, makeCa, type TestCa } from './test-certificates.ts';
export { type OriginHandler, type OriginScript, TestOrigin, type TestOriginOptions } from './test-origin.ts';
