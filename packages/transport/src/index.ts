export { type AcceptOptions, acceptStreams } from './accept.ts';
export {
  type Address,
  formatAddress,
  type InetAddress,
  isUnixAddress,
  parseAddress,
  type UnixAddress,
} from './address.ts';
export { type Digest, type SocketDigest, socketDigest } from './digest.ts';
export { LEASED_READ_BYTES, Lease, SHARED_READ_BYTES, sharedReadBuffer } from './read-buffer.ts';
export { applySocketOptions, type TcpKeepAlive } from './socket-options.ts';
export { Stream, type StreamHandler, switchableOnread } from './stream.ts';
