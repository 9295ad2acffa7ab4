/**
 * A unix socket that receives datagrams: Node.js has none, so the test makes it with koffi.
 */
import koffi from 'koffi';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

const libc = koffi.load(null);
const socket = libc.func('socket', 'int', ['int', 'int', 'int']);
const bind = libc.func('bind', 'int', ['int', 'void *', 'unsigned int']);
const recv = libc.func('recv', 'int64_t', ['int', 'void *', 'size_t', 'int']);
const close = libc.func('close', 'int', ['int']);

/** Receives datagrams on a unix socket. */
export class DatagramReceiver {
  readonly #fd: number;

  /** @param path where it is bound; with `@` in front in the abstract namespace. */
  constructor(path: string) {
    const abstract = path.startsWith('@');
    const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0) as number;
    if (bind(this.#fd, address, address.length) !== 0) throw new Error(`bind ${path}: errno ${koffi.errno()}`);
  }

  /** One datagram as text; undefined when there is none. */
  receive(): string | undefined {
    const buffer = Buffer.alloc(1000);
    const length = Number(recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT));
    return length < 0 ? undefined : buffer.toString('utf8', 0, length);
  }

  close(): void {
    close(this.#fd);
  }
}
