/**
 * The clients and servers of Node.js: every pair of versions, with TLS and without on either side.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OriginKind } from '../src/four-origins.ts';
import { CLIENT_FACTS, UPSTREAM_FACTS } from '../src/gateway-setup.ts';
import { type NodeAnswer, NodeClient, type NodeRequest } from '../src/node-client.ts';
import { factsIn, ORIGIN_KINDS, PeersRig, versionOf } from '../src/peers-rig.ts';

const pairs = ORIGIN_KINDS.flatMap((from) => ORIGIN_KINDS.map((to) => ({ from, to })));

let rig: PeersRig;
beforeAll(async () => {
  rig = await PeersRig.start();
});
afterAll(() => rig.stop());

describe.each(pairs)('$from to $to', ({ from, to }) => {
  let client: NodeClient;
  beforeAll(() => {
    client = new NodeClient(from, rig);
  });
  afterAll(() => client.close());

  function routed(request: NodeRequest, upstream: OriginKind = to): NodeRequest {
    return { ...request, headers: { 'x-upstream': upstream, ...request.headers } };
  }
  const ask = (request: NodeRequest): Promise<NodeAnswer> => client.ask(routed(request));

  it('a request', async () => {
    const answer = await ask({ path: '/echo?a=b' });
    expect(answer).toMatchObject({ status: 200, body: '', end: 'end', interim: [], trailers: {} });
    expect(answer.headers).toMatchObject({ 'x-method': 'GET', 'x-version': versionOf(to) });
    expect(factsIn(answer.headers[CLIENT_FACTS])).toMatchObject({ http: client.isHttp2 ? '2' : '1.1' });
    if (to.endsWith('-tls')) expect(factsIn(answer.headers[UPSTREAM_FACTS])).toMatchObject({ authorized: true });
  });

  it('HEAD', async () => {
    const answer = await ask({ path: '/bytes?n=9', method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '', end: 'end', headers: { 'content-length': '9' } });
  });

  it.each(['/nothing', '/not-modified'])('%s: no body', async (path) => {
    expect(await ask({ path })).toMatchObject({ status: path === '/nothing' ? 204 : 304, body: '', end: 'end' });
  });

  it('uploads, by length and not', async () => {
    const body = 'u'.repeat(700_000);
    const byLength = await ask({ path: '/echo', method: 'POST', body, headers: { 'content-length': '700000' } });
    expect(byLength).toMatchObject({ status: 200, end: 'end', headers: { 'content-length': '700000' } });
    expect(byLength.body === body).toBe(true);
    const streamed = await ask({ path: '/echo', method: 'POST', body });
    expect(streamed.headers['x-fields']).not.toContain('content-length');
    expect(streamed.body === body).toBe(true);
  });

  it('thirty uploads at once', async () => {
    const bodies = Array.from({ length: 30 }, (_, at) => String(at).repeat(20_000));
    const answers = await Promise.all(bodies.map((body) => ask({ path: '/echo', method: 'PUT', body })));
    expect(answers.every(({ status, body }, at) => status === 200 && body === bodies[at])).toBe(true);
  });

  it('informational responses', async () => {
    expect(await ask({ path: '/hints' })).toMatchObject({ interim: [103], status: 200, end: 'end' });
  });

  it('Expect: 100-continue', async () => {
    const answer = await ask({ path: '/echo', method: 'POST', body: 'hello', headers: { expect: '100-continue' } });
    expect(answer).toMatchObject({ interim: [100], status: 200, body: 'hello', end: 'end' });
  });

  it('trailers of responses, where they are wanted', async () => {
    const te: Record<string, string> = client.isHttp2 ? {} : { te: 'trailers', connection: 'te, keep-alive' };
    const wanted = await ask({ path: '/trailers', headers: te });
    expect(wanted).toMatchObject({ body: 'body', end: 'end', trailers: { 'x-checksum': 'abc', 'x-count': '1' } });
    if (!client.isHttp2) expect((await ask({ path: '/trailers' })).trailers).toEqual({});
  });

  it('trailers of requests', async () => {
    const te: Record<string, string> = client.isHttp2 ? {} : { te: 'trailers', connection: 'te', trailer: 'x-sum' };
    const answer = await ask({ path: '/echo', method: 'POST', body: 'x', headers: te, trailers: { 'x-sum': '5' } });
    expect(answer).toMatchObject({ body: 'x', trailers: { 'x-request-trailers': 'x-sum=5' } });
  });

  it('cookies, one line or many', async () => {
    const answer = await ask({ path: '/cookies', headers: { cookie: 'a=1; b=2; c=3' } });
    expect(answer).toMatchObject({ body: 'a=1; b=2; c=3', headers: { 'set-cookie': ['a=1', 'b=2'] } });
  });

  it('an answer before the upload has ended', async () => {
    const answer = await ask({ path: '/early', method: 'POST', body: 'e'.repeat(2_000_000) });
    // Node's HTTP/1 client may see the connection go before it has read, as RFC 9112 section 9.6 explains.
    if (answer.status === 0 && !client.isHttp2) expect(answer.end).toMatch(/EPIPE|ECONNRESET/);
    else expect(answer).toMatchObject({ status: 403, body: 'not you', end: 'end' });
  });

  it('a large response that the client takes its time for', async () => {
    const answer = await ask({ path: '/bytes?n=4000000' });
    expect([answer.end, answer.body.length]).toEqual(['end', 4_000_000]);
  });

  it('an upstream that breaks off: before the head 502, in the body a cut', async () => {
    expect(await ask({ path: '/broken-head' })).toMatchObject({ status: 502, end: 'end' });
    const cut = await ask({ path: '/broken-body' });
    expect(cut).toMatchObject({ status: 200, body: 'beginning' });
    expect(cut.end).toMatch(client.isHttp2 ? /^INTERNAL_ERROR$/ : /^ECONNRESET$/);
  });

  it.each(['/never', '/begun'])('a client that leaves, %s: the origin is told at once', async (path) => {
    const marked = `${path}?from=${from}&to=${to}`;
    const exchange = client.begin(routed({ path: marked }));
    if (path === '/begun') await exchange.begun;
    else await vi.waitFor(() => expect(rig.log).toContain(`GET ${marked}`));
    exchange.cancel();
    expect((await exchange.answer).end).not.toBe('end');
    await vi.waitFor(() => expect(rig.log).toContain(`aborted GET ${marked}`), 3_000);
  });
});
