/** Entry of @cirque/adapters/undici. Only re-exports. */
export { DispatcherPeer, type DispatcherPeerOptions } from './undici/dispatcher-peer.ts';
