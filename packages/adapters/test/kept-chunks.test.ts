/**
 * Middleware replaces `write` of a response and keeps what passes, as caches and tests do: Node.js lets it.
 */
import type { RequestListener } from 'node:http';
import { HttpPeer } from '@cirque/pool';
import { defineProxy } from '@cirque/proxy';
import { afterEach, expect, test } from 'vitest';
import { toNodeHandler } from '../src/index.ts';
import { ask, closeAll, listen, onClose } from './node-peers.ts';

afterEach(closeAll);

const LENGTH = 1_000_000;

/** Collects what every response is written in. */
function keeping(kept: Buffer[][], next: RequestListener): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    kept.push(chunks);
    const write = response.write.bind(response) as (chunk: Buffer, done?: () => void) => boolean;
    response.write = ((chunk: Buffer, done?: () => void) => {
      chunks.push(chunk);
      return write(chunk, done);
    }) as typeof response.write;
    next(request, response);
  };
}

test('chunks that middleware keeps are not written over by later responses', async () => {
  const origin = await listen((request, response) => {
    response.setHeader('Content-Length', LENGTH);
    response.end((request.url ?? '').slice(1).repeat(LENGTH));
  });
  const handler = toNodeHandler(defineProxy({ upstreamPeer: () => new HttpPeer(`127.0.0.1:${origin}`) }));
  onClose(() => handler.close());
  const kept: Buffer[][] = [];
  const port = await listen(keeping(kept, handler));
  for (const letter of 'abc') await ask(port, { path: `/${letter}` });
  const seen = kept.map((chunks) => [...new Set(Buffer.concat(chunks).toString('latin1'))].join(''));
  expect(seen).toEqual(['a', 'b', 'c']);
});
