export { type AcceptOptions, acceptStreams } from './accept.ts';
export {
  type Address,
  formatAddress,
  type InetAddress,
  isUnixAddress,
  parseAddress,
  type UnixAddress,
} from './address.ts';
export { type Digest, type SocketDigest, type StreamFacts, socketDigest } from './digest.ts';
export { ipToBytes } from './ip-bytes.ts';
export {
  type NativeOption,
  planTcpOptions,
  requireSys,
  setNativeOptions,
  type TcpOptionNames,
  type TcpOptionPlan,
  type TcpOptions,
} from './native-options.ts';
export { PeerCertificateFacts } from './peer-certificate.ts';
export type { ProxyHeader, ProxyTlv } from './proxy-header.ts';
export { PROXY_HEADER_MAX_BYTES, type ProxyHeaderParse, parseProxyHeader } from './proxy-header-parser.ts';
export { encodeProxyHeader, type ProxyHeaderInit } from './proxy-header-writer.ts';
export { LEASED_READ_BYTES, Lease, SHARED_READ_BYTES, sharedReadBuffer } from './read-buffer.ts';
export { plainServerName } from './server-name.ts';
export { applyNodeOptions, applySocketOptions, type NodeSocketOptions, type TcpKeepAlive } from './socket-options.ts';
export { type SslDigest, sslDigest } from './ssl-digest.ts';
export { Stream, type StreamHandler, switchableOnread } from './stream.ts';
export { tcpInfoOf } from './tcp-info.ts';
export { WriteProgress, type WriteVerdict } from './write-progress.ts';
