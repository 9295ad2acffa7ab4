/**
 * TLS that ends here, begins here or passes through, and PROXY headers in and out.
 */
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { TlsSettings } from '@cirque/core';
import { proxyProtocolOf } from '@cirque/pool';
import { type IssuedCertificate, LeakCheck, makeCa, RawClient, TestOrigin } from '@cirque/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defineStream, hostMatches, peekTls, StreamPeer, type StreamSession } from '../src/index.ts';
import { RunningStream } from './running-stream.ts';

const until = { timeout: 15_000, interval: 5 };
const ca = makeCa('Test');

let check: LeakCheck;
let opened: { close(): unknown }[];
beforeEach(() => {
  check = LeakCheck.start();
  opened = [];
});
afterEach(async () => {
  for (const one of opened.reverse()) await one.close();
  await check.assertClean(5_000);
});

function keep<T extends { close(): unknown }>(one: T): T {
  opened.push(one);
  return one;
}

/** A server that says its name, the ALPN that was agreed on, and all it is sent. */
async function tlsOrigin(name: string, certificate: IssuedCertificate, protocols?: string[]): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const options = { ...certificate, ...(protocols === undefined ? {} : { ALPNProtocols: protocols }) };
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).write(`${name} ${socket.alpnProtocol || 'none'} `);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  keep({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as { port: number }).port;
}

/** Text that arrives until it has this length; the connection is ended then. */
function talk(options: ConnectionOptions & { port: number }, say: string, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', ca: ca.cert, ...options });
    keep({ close: () => socket.destroy() });
    socket.on('error', reject).on('close', () => resolve(text));
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.length >= length) socket.end();
    });
    socket.write(say);
  });
}

test('TLS ends here: phases know the server name, the upstream gets plain bytes', async () => {
  const origin = keep(
    await TestOrigin.listen(async (connection) => {
      await connection.expect('secret');
      await connection.send('answer');
      // The end of the client comes through TLS as an end, and the other direction is still open.
      expect(await connection.waitForClose()).toBe('end');
      await connection.send('!');
      connection.end();
    }),
  );
  const sessions: StreamSession[] = [];
  const running = keep(
    await RunningStream.start(
      defineStream({
        upstreamPeer: (session) => {
          sessions.push(session);
          return new StreamPeer(origin.address);
        },
      }),
      { tls: new TlsSettings({ certificate: ca.issue({ names: ['db.example'] }) }) },
    ),
  );
  const answer = await talk({ port: running.address.port, servername: 'db.example' }, 'secret', 6);
  expect(answer).toBe('answer!');
  await vi.waitFor(() => expect(running.stats.active).toBe(0), until);
  expect(sessions[0]).toMatchObject({ serverName: 'db.example', bytesFromClient: 6, bytesToClient: 7 });
  expect(sessions[0]?.digest.ssl?.version).toBe('TLSv1.3');
});

test('TLS begins here: the certificate is verified, and no protocol of HTTP is offered', async () => {
  const port = await tlsOrigin('origin', ca.issue({ names: ['db.example'] }), ['http/1.1', 'mine']);
  const errors: (string | undefined)[] = [];
  const start = async (peer: StreamPeer): Promise<RunningStream<undefined>> =>
    keep(
      await RunningStream.start(
        defineStream({
          upstreamPeer: () => peer,
          logging: (_session, error) => {
            errors.push(error?.type);
          },
        }),
      ),
    );
  const at = `127.0.0.1:${port}`;
  const talkTo = async (peer: StreamPeer, wanted: string): Promise<void> => {
    const client = await RawClient.connect((await start(peer)).address);
    keep({ close: () => client.socket.destroy() });
    await client.send('hello');
    await client.waitFor(wanted);
  };
  await talkTo(new StreamPeer(at, { tls: true, sni: 'db.example', ca: ca.cert }), 'origin none hello');
  await talkTo(
    new StreamPeer(at, { tls: true, sni: 'db.example', ca: ca.cert, alpnProtocols: ['mine'] }),
    'origin mine hello',
  );
  const wrong = await start(new StreamPeer(at, { tls: true, sni: 'other.example', ca: ca.cert }));
  const refused = await RawClient.connect(wrong.address);
  keep({ close: () => refused.socket.destroy() });
  await refused.waitForClose();
  await vi.waitFor(() => expect(errors).toContain('InvalidCert'), until);
});

test('TLS passes through, to the host that its first message names, however that comes', async () => {
  const [a, b, other] = [
    await tlsOrigin('A', ca.issue({ names: ['a.example'] })),
    await tlsOrigin('B', ca.issue({ names: ['*.b.example'] })),
    await tlsOrigin('default', ca.issue({ names: ['c.example'] })),
  ];
  interface Ctx {
    port: number;
  }
  const running = keep(
    await RunningStream.start<Ctx>({
      newCtx: () => ({ port: other }),
      peek(_session, seen, _ended, ctx) {
        const hello = peekTls(seen);
        if (hello === 'more') return 'more';
        const name = hello?.serverName ?? '';
        if (name === 'a.example') ctx.port = a;
        else if (hostMatches('*.b.example', name)) ctx.port = b;
        return undefined;
      },
      upstreamPeer: (_session, { port }) => new StreamPeer(`127.0.0.1:${port}`),
    }),
  );
  const { port } = running.address;
  expect(await talk({ port, servername: 'a.example' }, 'x', 8)).toBe('A none x');
  expect(await talk({ port, servername: 'x.b.example' }, 'x', 8)).toBe('B none x');
  expect(await talk({ port, servername: 'c.example' }, 'x', 14)).toBe('default none x');
  // Byte by byte.
  const slow = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  keep({ close: () => slow.destroy() });
  const sent = slow.write.bind(slow);
  slow.write = (bytes: string | Uint8Array): boolean => {
    for (const byte of Buffer.from(bytes as Uint8Array)) sent(Buffer.from([byte]));
    return true;
  };
  const secure = connect({ socket: slow, servername: 'a.example', ca: ca.cert });
  const said = new Promise((resolve, reject) => secure.once('data', resolve).on('error', reject));
  expect(String(await said)).toMatch(/^A none/);
  secure.destroy();
});

test('a PROXY header of a trusted neighbour is who the client is, and is passed on', async () => {
  const origin = keep(await TestOrigin.listen([]));
  const sessions: StreamSession[] = [];
  const running = keep(
    await RunningStream.start(
      defineStream({
        upstreamPeer: (session) => {
          sessions.push(session);
          return new StreamPeer(origin.address, { proxyProtocol: proxyProtocolOf(session.digest, 1) });
        },
      }),
      { socket: { proxyProtocol: 'required', trustedSources: ['127.0.0.0/8'] } },
    ),
  );
  const client = await RawClient.connect(running.address);
  keep({ close: () => client.socket.destroy() });
  const header = 'PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\n';
  // In two pieces.
  await client.send(header.slice(0, 20));
  await new Promise((resolve) => setImmediate(resolve));
  await client.send(`${header.slice(20)}hello`);
  const at = await origin.connection();
  await at.expect(`${header}hello`);
  expect(sessions[0]).toMatchObject({
    clientAddress: { host: '192.0.2.7', port: 4_711 },
    localAddress: { host: '198.51.100.9', port: 443 },
    proxyHeader: { source: { host: '192.0.2.7', port: 4_711 } },
    bytesFromClient: 5,
  });
  await vi.waitFor(() => expect(sessions[0]?.bytesToUpstream).toBe(5), until);
  const liar = await RawClient.connect(running.address);
  keep({ close: () => liar.socket.destroy() });
  await liar.send('GET / HTTP/1.1\r\n\r\n');
  await liar.waitForClose();
  expect(sessions).toHaveLength(1);
});
