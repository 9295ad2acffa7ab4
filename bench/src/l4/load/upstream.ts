/**
 * The upstreams of layer 4 in one process: TCP that sends everything back, two that answer a greeting with their name, and UDP
 * that sends every datagram back. Prints their ports as one line of JSON; ends with its standard input.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { UpstreamPorts } from './upstream-ports.ts';

const [, , answerBytes = '100', ...names] = process.argv;

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}); // clients may leave as they like
    serve(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The greeting is not read to its end: its first bytes are enough. */
function named(name: string): Promise<number> {
  const answer = Buffer.alloc(Number(answerBytes), '.');
  answer.write(name);
  return listen((socket) => {
    socket.once('data', () => void socket.write(answer));
    socket.on('data', () => {});
    socket.once('end', () => socket.end());
  });
}

async function datagrams(): Promise<number> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4_194_304,
    lookup: (host, _, done) => done(null, host, 4),
  });
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  // Before it is bound: without a name to look up that is over at once.
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  return socket.address().port;
}

const ports: UpstreamPorts = {
  echo: await listen((socket) => void socket.pipe(socket)),
  named: await Promise.all(names.map(named)),
  datagrams: await datagrams(),
};
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.resume().once('end', () => process.exit());
