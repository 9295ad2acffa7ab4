/**
 * What this package offers, made of native calls and what the platform knows. Checks what callers pass; loading is
 * load-sys.ts.
 */
import type { NativeCalls } from './native-calls.ts';
import { receiveDescriptors, sendDescriptors } from './pass-descriptors.ts';
import type { Platform } from './platform.ts';
import { sendDatagram } from './send-datagram.ts';
import { readOption, writeOption } from './socket-option.ts';
import type { PeerCredentials, ReceivedDescriptors, SocketOption, Sys, SysBackend, TcpInfo } from './sys.ts';
import { SysError } from './sys-error.ts';
import { checkDescriptor, closeDescriptor, systemCall } from './system-call.ts';

export class NativeSys implements Sys {
  readonly backend: SysBackend;
  readonly #calls: NativeCalls;
  readonly #platform: Platform;

  constructor(calls: NativeCalls, platform: Platform) {
    this.backend = calls.backend;
    this.#calls = calls;
    this.#platform = platform;
  }

  dup(descriptor: number): number {
    checkDescriptor('descriptor', descriptor);
    return this.#platform.duplicate(this.#calls, descriptor);
  }

  dup2(descriptor: number, target: number): void {
    checkDescriptor('descriptor', descriptor);
    checkDescriptor('target', target);
    systemCall(this.#calls, 'dup2', () => this.#calls.dup2(descriptor, target));
  }

  close(descriptor: number): void {
    checkDescriptor('descriptor', descriptor);
    closeDescriptor(this.#calls, descriptor);
  }

  sendDescriptors(socket: number, bytes: Uint8Array, descriptors: readonly number[]): number {
    checkDescriptor('socket', socket);
    return sendDescriptors(this.#calls, this.#platform, socket, bytes, descriptors);
  }

  receiveDescriptors(socket: number, maxBytes: number): ReceivedDescriptors | undefined {
    checkDescriptor('socket', socket);
    return receiveDescriptors(this.#calls, this.#platform, socket, maxBytes);
  }

  peerCredentials(socket: number): PeerCredentials {
    checkDescriptor('socket', socket);
    return this.#platform.peerCredentials(this.#calls, socket);
  }

  sendDatagram(path: string, bytes: Uint8Array): void {
    sendDatagram(this.#calls, this.#platform, path, bytes);
  }

  getSocketOption(descriptor: number, option: SocketOption): number {
    checkDescriptor('descriptor', descriptor);
    const [level, name] = this.#option('getsockopt', option);
    return readOption(this.#calls, descriptor, level, name, 4).readInt32LE();
  }

  setSocketOption(descriptor: number, option: SocketOption, value: number): void {
    checkDescriptor('descriptor', descriptor);
    if (!Number.isInteger(value)) throw new TypeError(`${option} must be a whole number, got ${value}`);
    const [level, name] = this.#option('setsockopt', option);
    writeOption(this.#calls, descriptor, level, name, value);
  }

  tcpInfo(descriptor: number): TcpInfo {
    checkDescriptor('descriptor', descriptor);
    return this.#platform.tcpInfo(this.#calls, descriptor);
  }

  createTcpSocket(family: 4 | 6): number {
    if (family !== 4 && family !== 6) throw new TypeError(`family must be 4 or 6, got ${family as unknown}`);
    return this.#platform.openSocket(this.#calls, family, 'stream');
  }

  #option(syscall: string, option: SocketOption): readonly [number, number] {
    const found = this.#platform.options[option];
    if (found === undefined) throw new SysError(syscall, 'ENOPROTOOPT', `this system has no ${option}`);
    return found;
  }
}
