import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadBulk } from './bulk.ts';
import { Asker, loadDatagrams } from './datagrams.ts';
import { loadHello } from './hello.ts';

const opened: (Server | DatagramSocket)[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

async function tcp(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => {})));
  opened.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function udp(answer: (bytes: Buffer) => Buffer | undefined): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    const reply = answer(bytes);
    if (reply !== undefined) socket.send(reply, port, address);
  });
  opened.push(socket.bind(0, '127.0.0.1'));
  await once(socket, 'listening');
  return socket.address().port;
}

const SHORT = { clients: 2, durationMs: 50 } as const;

describe('loadBulk', () => {
  it('counts both ways, and what comes back to the last byte', async () => {
    const port = await tcp((socket) => void socket.pipe(socket));
    const { done, errors, bytes } = await loadBulk({ ...SHORT, port, writeBytes: 4_096 });
    expect(errors).toBe(0);
    expect(bytes % (2 * 4_096)).toBe(0);
    expect(bytes).toBeGreaterThan(0);
    expect(done).toBeCloseTo(bytes / 1e6, 9);
  });

  it('takes a lost byte for an error', async () => {
    const port = await tcp((socket) => {
      socket.resume().once('end', () => socket.end('x'));
    });
    expect(await loadBulk({ ...SHORT, port, writeBytes: 4_096 })).toMatchObject({ errors: 2 });
  });
});

describe('loadHello', () => {
  const greeting = { send: 'hello', answer: 'one.' };
  const answering = (answer: string): Promise<number> =>
    tcp((socket) => {
      socket.once('data', () => void socket.write(answer));
      socket.once('end', () => socket.end());
    });

  it('counts connections with the right answer', async () => {
    const port = await answering('one......');
    const report = await loadHello({ ...SHORT, port, greetings: [greeting], answerBytes: 9 });
    expect(report).toMatchObject({ errors: 0, bytes: report.done * (5 + 9) });
    expect(report.done).toBeGreaterThan(0);
    expect(report.p50Us).toBeLessThanOrEqual(report.p99Us ?? 0);
  });

  it('takes the answer of another one for an error', async () => {
    const port = await answering('two......');
    const { done, errors } = await loadHello({ ...SHORT, port, greetings: [greeting], answerBytes: 9 });
    expect(done).toBe(0);
    expect(errors).toBeGreaterThan(0);
  });
});

describe('loadDatagrams', () => {
  it.each([true, false])('counts round trips, each from a port of its own: %s', async (newPorts) => {
    const port = await udp((bytes) => bytes);
    const { done, errors, bytes } = await loadDatagrams({ ...SHORT, port, bytes: 64, newPorts });
    expect(errors).toBe(0);
    expect(done).toBeGreaterThan(0);
    expect(bytes).toBe(done * 128);
  });
});

describe('Asker', () => {
  it('knows the right answer from a wrong one and from none', async () => {
    const answers = [Buffer.from('question'), Buffer.from('else'), undefined];
    const port = await udp(() => answers.shift());
    const asker = new Asker(port);
    const question = Buffer.from('question');
    try {
      expect(await asker.ask(question, 10_000)).toBe(true);
      expect(await asker.ask(question, 10_000)).toBe(false);
      expect(await asker.ask(question, 20)).toBe(false);
    } finally {
      asker.close();
    }
  });
});
