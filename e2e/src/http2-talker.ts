/**
 * A WebSocket over a stream of HTTP/2 (RFC 8441): extended CONNECT of node:http2, frames by the codec of `ws`.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { Duplex, Writable } from 'node:stream';
import * as ws from 'ws';
import { MessageInbox, type Talker } from './talker.ts';

interface FrameOptions {
  readonly binary: boolean;
  readonly fin: boolean;
  readonly mask: boolean;
  readonly compress: boolean;
}

/** Exported by `ws`, unknown to its types. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
  readonly Sender: new (
    socket: Duplex,
  ) => {
    send(data: Buffer, options: FrameOptions): void;
    ping(data: Buffer, mask: boolean): void;
    pong(data: Buffer, mask: boolean): void;
    close(code: number, reason: string, mask: boolean): void;
  };
};

export class Http2Talker implements Talker {
  readonly protocol: string;
  readonly closed: Promise<string>;
  readonly #stream: ClientHttp2Stream;
  readonly #receiver: Writable = new Receiver({ isServer: false });
  readonly #sender: InstanceType<typeof Sender>;
  readonly #inbox: MessageInbox = new MessageInbox();
  #end = '1006 ';
  #closing = false;

  private constructor(stream: ClientHttp2Stream, protocol: string) {
    this.#stream = stream;
    this.protocol = protocol;
    this.#sender = new Sender(stream);
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    stream.on('error', () => undefined); // the close tells
    stream.on('end', () => stream.end()); // with or without a closing handshake, there is nothing left to say
    stream.on('close', () => {
      this.#inbox.end(this.#end);
      resolve(this.#end);
    });
    this.#receiver.on('message', (data: Buffer) => this.#inbox.put(data));
    this.#receiver.on('ping', (data: Buffer) => this.#sender.pong(data, true));
    this.#receiver.on('conclude', (code: number, reason: Buffer) => {
      this.#end = `${code} ${reason.toString()}`;
      if (!this.#closing) this.#sender.close(code, reason.toString(), true);
      stream.end();
    });
    stream.pipe(this.#receiver);
  }

  /** @throws the status of the answer when it is not 200. */
  static async open(
    session: ClientHttp2Session,
    path: string,
    protocols: readonly string[],
    headers: Readonly<Record<string, string>>,
  ): Promise<Http2Talker> {
    if (session.connecting || session.remoteSettings.enableConnectProtocol === undefined)
      await once(session, 'remoteSettings');
    if (session.remoteSettings.enableConnectProtocol !== true) throw new Error('extended CONNECT is not offered');
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': path,
        'sec-websocket-version': '13',
        ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
        ...headers,
      },
      { endStream: false },
    );
    const [head] = await once(stream, 'response');
    if (head[':status'] === 200) return new Http2Talker(stream, head['sec-websocket-protocol'] ?? '');
    stream.resume();
    stream.close(constants.NGHTTP2_CANCEL);
    throw new Error(`status ${head[':status']}`);
  }

  send(message: string | Buffer): void {
    const binary = typeof message !== 'string';
    this.#sender.send(Buffer.from(message), { binary, fin: true, mask: true, compress: false });
  }

  receive(): Promise<Buffer> {
    return this.#inbox.take();
  }

  async ping(data: string): Promise<string> {
    const pong = once(this.#receiver, 'pong');
    this.#sender.ping(Buffer.from(data), true);
    return String((await pong)[0]);
  }

  close(code: number, reason: string): void {
    this.#closing = true;
    this.#sender.close(code, reason, true);
  }

  terminate(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}
