import { HeaderMap } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';

const OURS = /^[0-9a-f]{12}-[0-9a-z]+$/;
const TRUSTING = { requestIdHeader: 'X-Request-Id', trustedProxies: ['192.0.2.0/24'] };

describe('Session.requestId', () => {
  test('names each request once, the same prefix before a number', async () => {
    const ids: string[] = [];
    const proxy = openProxy({
      requestFilter: (session) => {
        ids.push(session.requestId);
      },
      logging: (session) => {
        ids.push(session.requestId);
      },
    });
    const client = proxy.connect();
    await client.inject();
    await client.inject();
    expect(ids[0]).toMatch(OURS);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(ids[3]).toBe(ids[2]);
    expect(ids[2]?.split('-')[0]).toBe(ids[0]?.split('-')[0]);
  });

  test('is in every line about the request: of retries, of the failure, of phases that fail, of the access log', async () => {
    let id = '';
    const proxy = openProxy(
      {
        failToConnect: (session, _peer, _ctx, error) => {
          id = session.requestId;
          return error.setRetry(true);
        },
        suppressErrorLog: () => {
          throw new Error('no');
        },
        logging: () => Promise.reject(new Error('no')),
      },
      { upstream: ['refuse', 'refuse'], options: { maxRetries: 1, accessLog: true } },
    );
    await proxy.inject();
    expect(proxy.logs.map(({ message, facts }) => [message, facts.requestId])).toEqual([
      ['fail to proxy', id],
      ['suppressErrorLog failed', id],
      ['fail to proxy', id],
      ['logging failed', id],
      ['access', id],
    ]);
  });

  test('of a subrequest is that of the request that has made it', async () => {
    const ids: string[] = [];
    const proxy = openProxy({
      requestFilter: async (session) => {
        ids.push(session.requestId);
        if (session.isSubrequest) return;
        await (await session.subrequest({ target: '/inner' })).body.discard();
      },
    });
    await proxy.inject();
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
  });
});

describe('requestIdHeader', () => {
  test('is off by default: nothing is sent, nothing is believed', async () => {
    let id = '';
    const proxy = openProxy({
      logging: (session) => {
        id = session.requestId;
      },
    });
    await proxy.inject();
    await proxy.inject({ headers: { 'X-Request-Id': 'theirs' } });
    expect(proxy.upstream.requests.map(({ headers }) => headers.get('x-request-id'))).toEqual([undefined, 'theirs']);
    expect(id).toMatch(OURS);
  });

  test('is sent upstream, the same in every attempt, also when a phase has removed the field', async () => {
    let id = '';
    const proxy = openProxy(
      {
        requestFilter: (session) => {
          id = session.requestId;
          session.requestHeader.removeHeader('X-Request-Id');
        },
        errorWhileProxy: (_peer, _session, error) => error.setRetry(true),
      },
      { options: TRUSTING, upstream: ['reset', {}] },
    );
    await proxy.connect({ address: '192.0.2.9' }).inject({ headers: { 'x-request-id': 'abc-1' } });
    expect(id).toBe('abc-1');
    expect(proxy.upstream.requests.map(({ headers }) => headers.getAll('x-request-id'))).toEqual([
      ['abc-1'],
      ['abc-1'],
    ]);
  });

  test('can be replaced by a phase', async () => {
    const proxy = openProxy(
      { upstreamRequestFilter: (_session, head) => head.removeHeader('X-Request-Id') as never },
      { options: TRUSTING },
    );
    await proxy.inject();
    expect(proxy.upstream.requests[0]?.headers.has('x-request-id')).toBe(false);
  });

  test.each<[string, string, string[], boolean]>([
    ['a trusted neighbour is believed', '192.0.2.9', ['abc-1'], true],
    ['anybody else is not', '198.51.100.1', ['abc-1'], false],
    ['the longest', '192.0.2.9', ['x'.repeat(128)], true],
    ['one too long', '192.0.2.9', ['x'.repeat(129)], false],
    ['no token', '192.0.2.9', ['a b'], false],
    ['nothing', '192.0.2.9', [''], false],
    ['a quote', '192.0.2.9', ['a"b'], false],
    ['two of them', '192.0.2.9', ['a', 'b'], false],
  ])('%s', async (_what, address, values, believed) => {
    const proxy = openProxy({}, { options: { ...TRUSTING, accessLog: true } });
    const headers = HeaderMap.from({ 'X-Request-Id': values });
    await proxy.connect({ address }).inject({ headers });
    const sent = proxy.upstream.requests[0]?.headers.getAll('x-request-id');
    if (believed) expect(sent).toEqual(values);
    else expect(sent).toEqual([expect.stringMatching(OURS)]);
    expect(proxy.logs.at(-1)?.facts.requestId).toBe(sent?.[0]);
  });

  test('of a neighbour that has nominated it for its own connection is not believed', async () => {
    const proxy = openProxy({}, { options: TRUSTING });
    const headers = { 'X-Request-Id': 'abc', Connection: 'X-Request-Id' };
    await proxy.connect({ address: '192.0.2.9' }).inject({ headers });
    expect(proxy.upstream.requests[0]?.headers.getAll('x-request-id')).toEqual([expect.stringMatching(OURS)]);
  });
});
