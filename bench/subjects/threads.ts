/**
 * The reverse proxy with a number of threads, and with something to compute for each request.
 *
 * Takes `--listen HOST:PORT --upstream HOST:PORT --threads N --work none|hash|answer`. `hash`: a hook takes the SHA-256 of
 * 64 KB, which stands for what applications compute; `answer`: no upstream is asked. Answers `/thread` with the number of the
 * thread.
 */
import { createHash } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';

const text = (help: string, value: string) => ({ type: 'string', default: value, valueName: 'TEXT', help }) as const;

const { values, ...options } = parseArgs({
  name: 'threads',
  description: 'The reverse proxy with several threads.',
  options: {
    listen: text('where to listen', '127.0.0.1:8080'),
    upstream: text('where to forward to', '127.0.0.1:9000'),
    threads: text('how many threads', '2'),
    work: text('what is done for each request', 'none'),
  },
});
const server = new Server(options, { threads: Number(values.threads) });
server.bootstrap();

const peer = new HttpPeer(values.upstream);
const block = Buffer.alloc(65_536, 'b');
const page = Buffer.alloc(1_024, 'p');
const asksForThread = (target: string): boolean => target === '/thread';

const none = defineProxy({ upstreamPeer: () => peer });
const hash = defineProxy({
  upstreamPeer: () => peer,
  requestFilter: () => {
    createHash('sha256').update(block).digest();
    return false;
  },
});
const answer = defineProxy({
  upstreamPeer: () => peer,
  requestFilter: (session) => {
    session.respond(200, asksForThread(session.requestHeader.target) ? String(threadId) : page);
    return true;
  },
});
const service = httpProxyService(server.configuration, { none, hash, answer }[values.work] ?? none);
service.addTcp(values.listen);
server.addService(service);
await server.runForever();
