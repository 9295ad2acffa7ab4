import type { CirqueError } from '@cirque/error';
import { TestOrigin } from '@cirque/testing';
import type { Stream, StreamHandler } from '@cirque/transport';
import { expect, test } from 'vitest';
import { connectTcp } from './connect-tcp.ts';
import type { ReadsOn } from './early-answer.ts';

/** Sends until writing fails; tells what was read, and why it ended. */
async function pour(
  stream: Stream,
  wanted: boolean,
): Promise<{ text: string; asked: number; error: CirqueError | undefined }> {
  const seen = { text: '', asked: 0, error: undefined as CirqueError | undefined };
  await new Promise<void>((resolve) => {
    const handler: StreamHandler & ReadsOn = {
      onRead(buffer, length) {
        seen.text += buffer.toString('latin1', 0, length);
        if (seen.asked > 0) stream.destroy();
      },
      onReadEnd() {},
      onDrain: () => send(),
      onClose(error) {
        seen.error = error;
        resolve();
      },
      onWriteError() {
        seen.asked += 1;
        if (seen.text !== '') setImmediate(() => stream.destroy());
        return wanted;
      },
    };
    const piece = Buffer.alloc(32_768);
    const send = (): void => {
      if (stream.destroyed || seen.asked > 0) return;
      if (stream.write(piece)) setImmediate(send);
    };
    stream.start(handler);
    send();
  });
  return seen;
}

test.each([true, false])(
  'keepReadable asks the handler once before a failed write closes the socket: %s',
  async (wanted) => {
    const origin = await TestOrigin.listen(async (connection) => {
      connection.socket.once('data', () => {
        connection.socket.pause();
        // Closing with much unread resets the connection, behind what was sent.
        connection.socket.write('413', () => connection.socket.destroy());
      });
    });
    const stream = await connectTcp({ address: { host: '127.0.0.1', port: origin.port }, timeoutMs: 5_000 });
    const { text, asked, error } = await pour(stream, wanted);
    // Whether the answer or the failure comes first is up to the system; with the answer wanted it always comes.
    expect(asked).toBeLessThanOrEqual(1);
    if (wanted) expect(text).toBe('413');
    else expect([text === '413', error?.type === 'WriteError']).toContain(true);
    await origin.close();
  },
);
