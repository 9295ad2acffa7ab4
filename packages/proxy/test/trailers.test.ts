/**
 * Trailers of HTTP/1 messages in both directions: who gets them, which fields, and the phases that see them.
 */
import { HttpPeer } from '@cirque/pool';
import { RawClient, TestOrigin } from '@cirque/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';
import { listen } from './listening-proxy.ts';

const RESPONSE =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n' +
  '5\r\nhello\r\n0\r\nX-Sum: 12\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const WANTED = `${GET}TE: trailers\r\nConnection: TE\r\n\r\n`;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function ask(
  request: string,
  response: string,
  phases: Partial<ProxyPhases<undefined>> = {},
): Promise<{ answer: string; asked: string }> {
  const last = /\r\n0\r\n/.test(request) ? /0\r\n(?:[^\r]+\r\n)*\r\n/ : '\r\n\r\n';
  const origin = await TestOrigin.listen([{ expect: last }, { send: response }, { do: 'end' }]);
  cleanUps.push(() => origin.close());
  const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
  const proxy = await listen({ newCtx: () => undefined, upstreamPeer: () => peer, ...phases });
  cleanUps.push(() => proxy.close());
  const client = await RawClient.connect({ port: proxy.port });
  cleanUps.push(() => client.close());
  await client.send(request);
  const answer = await client.waitFor(/\r\n0\r\n[\s\S]*\r\n$|\r\n\r\nhello$/);
  return { answer, asked: origin.connections[0]?.text ?? '' };
}

describe('response trailers', () => {
  test('reach a client that wants them, without fields that must not trail', async () => {
    const { answer, asked } = await ask(WANTED, RESPONSE);
    expect(answer).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 12\r\n\r\n$/);
    expect(asked).toMatch('TE: trailers\r\nConnection: TE\r\n');
  });

  test('do not reach a client that has not asked, and the upstream is not told otherwise', async () => {
    const { answer, asked } = await ask(`${GET}\r\n`, RESPONSE);
    expect(answer).toMatch(/5\r\nhello\r\n0\r\n\r\n$/);
    expect(asked).not.toMatch('TE');
  });

  test('do not reach a client of HTTP/1.0', async () => {
    const origin = await TestOrigin.listen([{ expect: '\r\n\r\n' }, { send: RESPONSE }]);
    cleanUps.push(() => origin.close());
    const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
    const proxy = await listen({ newCtx: () => undefined, upstreamPeer: () => peer });
    cleanUps.push(() => proxy.close());
    const client = await RawClient.connect({ port: proxy.port });
    await client.send(WANTED.replace('1.1', '1.0'));
    await client.waitForClose();
    expect(client.text).toMatch(/\r\n\r\nhello$/);
    await client.close();
  });

  test('pass their phases, in order, after the end of the body', async () => {
    const seen: string[] = [];
    const { answer } = await ask(WANTED, RESPONSE, {
      responseBodyFilter: (_session, _body, end) => void seen.push(`body ${end}`),
      async upstreamResponseTrailerFilter(_session, trailers) {
        await Promise.resolve();
        seen.push(`upstream ${JSON.stringify(trailers)}`);
        trailers.set('X-Sum', '13');
        return undefined;
      },
      responseTrailerFilter(_session, trailers) {
        seen.push(`client ${trailers.get('x-sum')}`);
        trailers.append('X-More', 'yes');
      },
    });
    expect(seen).toEqual(['body false', 'body true', 'upstream {"x-sum":"12"}', 'client 13']);
    expect(answer).toMatch(/0\r\nX-Sum: 13\r\nX-More: yes\r\n\r\n$/);
  });

  test('become bytes of the body when a phase says so', async () => {
    const { answer } = await ask(WANTED, RESPONSE, {
      responseTrailerFilter: (_session, trailers) => Buffer.from(`sum=${trailers.get('x-sum')}`),
    });
    expect(answer).toMatch(/5\r\nhello\r\n6\r\nsum=12\r\n0\r\n\r\n$/);
  });

  test('whose phase throws cut the response', async () => {
    const origin = await TestOrigin.listen([{ expect: '\r\n\r\n' }, { send: RESPONSE }]);
    cleanUps.push(() => origin.close());
    const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
    const proxy = await listen({
      newCtx: () => undefined,
      upstreamPeer: () => peer,
      responseTrailerFilter: () => {
        throw new Error('no');
      },
    });
    cleanUps.push(() => proxy.close());
    const client = await RawClient.connect({ port: proxy.port });
    await client.send(WANTED);
    await client.waitForClose();
    expect(client.text).not.toMatch(/\r\n0\r\n/);
    await client.close();
  });
});

describe('request trailers', () => {
  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  test('reach the upstream, without fields that must not trail', async () => {
    const request = `${POST}2\r\nhi\r\n0\r\nX-Sum: 7\r\nAuthorization: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { asked } = await ask(request, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(asked).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n$/);
  });

  test('reach the upstream after the body was read by a phase', async () => {
    const request = `${POST}2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n`;
    const { asked } = await ask(request, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', {
      async requestFilter(session) {
        expect((await session.readBody()).toString()).toBe('hi');
        return false;
      },
    });
    expect(asked).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n$/);
  });
});
