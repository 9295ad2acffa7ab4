/** Entry of @cirque/sys. Only re-exports. */
export { descriptorOf } from './descriptor-of.ts';
export { loadSys, sysUnavailable } from './load-sys.ts';
export type { PeerCredentials, ReceivedDescriptors, SocketOption, Sys, SysBackend, TcpInfo } from './sys.ts';
export { SysError } from './sys-error.ts';
