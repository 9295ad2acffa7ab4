/**
 * curl in each of its HTTP versions, in front of each kind of origin.
 */
import { createHash } from 'node:crypto';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Curl } from '../src/curl.ts';
import type { OriginKind } from '../src/four-origins.ts';
import { CLIENT_FACTS } from '../src/gateway-setup.ts';
import { factsIn, ORIGIN_KINDS, PeersRig, versionOf } from '../src/peers-rig.ts';

const tool = requireTool('curl');

interface Way {
  readonly name: string;
  readonly version: '1.1' | '2';
  /** Arguments for a request to this path. */
  to(path: string): readonly string[];
}

const tlsTo = (path: string): readonly string[] => ['--cacert', rig.caFile, ...rig.resolve(), rig.tls(path)];
const ways: readonly Way[] = [
  { name: 'HTTP/1.1', version: '1.1', to: (path) => ['--http1.1', rig.plain(path)] },
  { name: 'h2c by prior knowledge', version: '2', to: (path) => ['--http2-prior-knowledge', rig.plain(path)] },
  { name: 'HTTP/1.1 over TLS', version: '1.1', to: (path) => ['--http1.1', ...tlsTo(path)] },
  { name: 'HTTP/2 over TLS', version: '2', to: (path) => ['--http2', ...tlsTo(path)] },
];
const pairs = ways.flatMap((way) => ORIGIN_KINDS.map((kind) => ({ ...way, kind, title: `${way.name} to ${kind}` })));
const via = (kind: OriginKind): readonly string[] => ['-H', `X-Upstream: ${kind}`];

let rig: PeersRig;
let curl: Curl;

describe.skipIf(tool.path === undefined)(`curl (${tool.reason ?? 'present'})`, () => {
  beforeAll(async () => {
    rig = await PeersRig.start();
    curl = new Curl(tool.path as string, rig.gateway.files.path('heads'));
  });
  afterAll(() => rig?.stop());

  describe.each(pairs)('$title', ({ name, version, kind, to }) => {
    it('GET', async () => {
      const answer = await curl.ask([...via(kind), ...to('/echo')]);
      expect(answer).toMatchObject({ version, status: 200, body: '', interim: [], trailers: {} });
      expect(answer.fields).toMatchObject({ 'x-method': 'GET', 'x-version': versionOf(kind) });
      expect(factsIn(answer.fields[CLIENT_FACTS]).http).toBe(version);
    });

    // curl 7.88 breaks plaintext HTTP/2 connections that it uses again, whoever the server is.
    if (!name.startsWith('h2c'))
      it('two requests on one connection', async () => {
        const twice = ['-w', '[%{http_code} %{num_connects}]', ...via(kind), ...to('/nothing')];
        expect(await curl.print([...twice, twice.at(-1) as string])).toBe('[204 1][204 0]');
      });

    it('HEAD', async () => {
      const answer = await curl.ask(['-I', '-o', '/dev/null', ...via(kind), ...to('/bytes?n=7')]);
      expect(answer).toMatchObject({ status: 200, fields: { 'content-length': '7' } });
    });

    it('POST of a known length', async () => {
      const answer = await curl.ask(['-d', 'a=1&b=2', ...via(kind), ...to('/echo')]);
      expect(answer).toMatchObject({ status: 200, body: 'a=1&b=2', fields: { 'x-method': 'POST' } });
      expect(answer.fields['x-fields']?.split(' ')).toContain('content-length');
    });

    it('PUT of a stream', async () => {
      const input = 'x'.repeat(300_000);
      const answer = await curl.ask(['-T', '-', ...via(kind), ...to('/echo')], { input });
      expect(answer.status).toBe(200);
      expect(answer.body === input, `${answer.body.length} bytes came back`).toBe(true);
      expect(answer.fields['x-fields']?.split(' ')).not.toContain('content-length');
    });

    it('a large response', async () => {
      const body = await curl.print([...via(kind), ...to('/bytes?n=5000000')]);
      const expected = createHash('sha256').update('x'.repeat(5_000_000)).digest('hex');
      expect(createHash('sha256').update(body).digest('hex')).toBe(expected);
    });

    it('an informational response before the final one', async () => {
      const { interim, status } = await curl.ask([...via(kind), ...to('/hints')]);
      expect(status).toBe(200);
      expect(interim).toEqual([{ version, status: 103, fields: { link: '</style.css>; rel=preload; as=style' } }]);
    });

    it('Expect: 100-continue', async () => {
      const wait = ['-H', 'Expect: 100-continue', '--expect100-timeout', '8', '-w', '[%{time_total}]'];
      const printed = await curl.print([...wait, '-d', 'hello', ...via(kind), ...to('/echo')]);
      const [, body, seconds] = /^(.*)\[(.*)\]$/.exec(printed) ?? [];
      expect(body).toBe('hello');
      expect(Number(seconds), 'seconds until the answer').toBeLessThan(4);
    });

    // The reset without error that follows on HTTP/2 (RFC 9113 section 8.1) makes curl 7.88 fail; node-h2 has that case.
    if (version === '1.1')
      it('an answer before the body was sent', async () => {
        // As much as is read behind an answer before the connection is closed: more may break curl's next write.
        const input = 'x'.repeat(500_000);
        const answer = await curl.ask(['-T', '-', ...via(kind), ...to('/early')], { input });
        expect(answer).toMatchObject({ status: 403, body: 'not you' });
      });

    it('trailers, to clients that can have them', async () => {
      const announced = version === '2' ? [] : ['-H', 'Connection: TE'];
      const answer = await curl.ask(['-H', 'TE: trailers', ...announced, ...via(kind), ...to('/trailers')]);
      expect(answer).toMatchObject({ body: 'body', trailers: { 'x-checksum': 'abc', 'x-count': '1' } });
    });

    it('304 without a body, cookies in both directions', async () => {
      const unchanged = await curl.ask(['-H', 'If-None-Match: "a"', ...via(kind), ...to('/not-modified')]);
      expect(unchanged).toMatchObject({ status: 304, body: '', fields: { etag: '"a"' } });
      const cookies = await curl.ask(['-b', 'c=3; d=4', ...via(kind), ...to('/cookies')]);
      expect(cookies).toMatchObject({ body: 'c=3; d=4', fields: { 'set-cookie': 'a=1, b=2' } });
    });

    it('a response that breaks off is seen to be cut', async () => {
      // 18: a part of the file only; 52: nothing; 56: the connection broke; 92: an error of the stream.
      const code = await curl.fail([...via(kind), ...to('/broken-body')]);
      expect([18, 56, 92]).toContain(code);
    });

    it('an upstream that breaks off before the head is a bad gateway', async () => {
      expect(await curl.ask([...via(kind), ...to('/broken-head')])).toMatchObject({ status: 502 });
    });
  });

  it('an offer of HTTP/2 by Upgrade is answered in HTTP/1.1', async () => {
    const answer = await curl.ask(['--http2', rig.plain('/echo')]);
    expect(answer).toMatchObject({ version: '1.1', status: 200, interim: [] });
    expect(answer.fields).not.toHaveProperty('upgrade');
    const forwarded = answer.fields['x-fields']?.split(' ');
    expect(forwarded).not.toContain('upgrade');
    expect(forwarded).not.toContain('http2-settings');
  });

  it.each(['h1', 'h2'] as const)('forty transfers side by side over one HTTP/2 connection, to %s', async (kind) => {
    const urls = rig.tls('/bytes?n=10000&of=[1-40]');
    const parallel = [
      '-Z',
      '--parallel-max',
      '40',
      '-o',
      '/dev/null',
      '-w',
      '[%{http_code} %{size_download} %{num_connects}]',
    ];
    const printed = await curl.print([...parallel, ...via(kind), '--cacert', rig.caFile, ...rig.resolve(), urls]);
    const results = printed.slice(1, -1).split('][');
    expect(results).toHaveLength(40);
    expect(
      results.every((result) => result.startsWith('200 10000 ')),
      printed,
    ).toBe(true);
    expect(
      results.filter((result) => result.endsWith(' 1')),
      'connections',
    ).toHaveLength(1);
  });
});
