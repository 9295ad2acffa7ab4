/** Which version a TLS connection speaks. Without a listener: what it hands over is made here. */
import { connect as connectH2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { ResponseHeader } from '@cirque/http';
import { LeakCheck, makeCa } from '@cirque/testing';
import { Stream, sslDigest } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpConnectionApp, type ServerSession } from '../src/index.ts';
import { fetchH2 } from './http2-site.ts';

const ca = makeCa('test');
const issued = ca.issue({ names: ['localhost'], ips: ['127.0.0.1'] });

let leaks: LeakCheck;
const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

/** Answers with the version and what TLS has agreed on. */
function describeSession(session: ServerSession): void {
  const { ssl } = session.digest;
  const body = Buffer.from(`${session.requestHeader.version} ${ssl?.alpn} ${ssl?.serverName}`);
  session.writeHead(new ResponseHeader(200), false);
  session.writeBody(body, 0, body.length, undefined);
  session.end();
}

async function start(protocols: readonly string[], h2c = false): Promise<number> {
  const app = new HttpConnectionApp({ serverOptions: { h2c }, processNewHttp: describeSession });
  const server = createServer({ ...issued, ALPNProtocols: [...protocols] }, (socket: TLSSocket) => {
    const stream = new Stream(socket, 'Downstream');
    stream.identify({ ssl: sslDigest(socket) });
    closers.push(() => stream.destroy());
    app.processNew(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.unshift(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

async function askHttp1(port: number, protocols: readonly string[]): Promise<string> {
  const options = { port, host: '127.0.0.1', ca: ca.cert, servername: 'localhost', ALPNProtocols: [...protocols] };
  const socket = connect(options);
  closers.push(() => void socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

describe('HttpConnectionApp on TLS', () => {
  test('HttpConnectionApp speaks HTTP/2 where ALPN says so', async () => {
    const port = await start(['h2', 'http/1.1']);
    const client = connectH2(`https://localhost:${port}`, { ca: ca.cert });
    closers.push(() => client.destroy());
    const got = await Promise.all(['/1', '/2'].map((path) => fetchH2(client, { ':path': path })));
    expect(got.map(({ body }) => body)).toEqual(['2 h2 localhost', '2 h2 localhost']);
  });

  test('HttpConnectionApp speaks HTTP/1 where ALPN says so, or nothing', async () => {
    const port = await start(['h2', 'http/1.1']);
    expect(await askHttp1(port, ['http/1.1'])).toContain('1.1 http/1.1 localhost');
    expect(await askHttp1(port, [])).toContain('1.1 undefined localhost');
  });

  test('HttpConnectionApp does not look for prior knowledge on TLS', async () => {
    const port = await start(['http/1.1'], true);
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: ca.cert,
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    });
    closers.push(() => void socket.destroy());
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const text = await new Promise<string>((resolve) => socket.setEncoding('latin1').once('data', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 (400|505) /);
  });
});
