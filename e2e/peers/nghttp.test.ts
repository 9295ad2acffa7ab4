/**
 * The clients of nghttp2: nghttp for single exchanges with every knob of HTTP/2, h2load for many at once.
 */
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OriginKind } from '../src/four-origins.ts';
import { PeersRig } from '../src/peers-rig.ts';
import { runTool, type ToolRun } from '../src/run-tool.ts';

const nghttp = requireTool('nghttp');
const h2load = requireTool('h2load');

let rig: PeersRig;
const via = (kind: OriginKind): readonly string[] => ['-H', `X-Upstream: ${kind}`];
/** h2c and TLS by address: these clients verify no certificates. */
const base = (way: 'h2c' | 'TLS'): string =>
  way === 'h2c' ? rig.plain('') : `https://127.0.0.1:${rig.gateway.tlsPort}`;

beforeAll(async () => {
  rig = await PeersRig.start();
});
afterAll(() => rig?.stop());

const combinations = (['h2c', 'TLS'] as const).flatMap((way) =>
  (['h1', 'h2', 'h2-tls'] as const).map((kind) => ({ way, kind })),
);

describe.skipIf(nghttp.path === undefined)(`nghttp (${nghttp.reason ?? 'present'})`, () => {
  /** Runs it; what it prints with `-v` begins each line of ours with `recv` or `send`. */
  async function run(...args: readonly string[]): Promise<ToolRun> {
    const result = await runTool(nghttp.path as string, args);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).not.toContain('not processed');
    return result;
  }

  /** Status and size of each exchange. */
  async function statistics(...args: readonly string[]): Promise<readonly string[]> {
    const { stdout } = await run('-n', '-s', ...args);
    return Array.from(stdout.matchAll(/^ *\d+ .* ([1-5]\d\d) +(\S+) \//gm), ([, status, size]) => `${status} ${size}`);
  }

  describe.each(combinations)('$way to $kind', ({ way, kind }) => {
    it('fifty requests at once', async () => {
      const seen = await statistics('-m', '50', ...via(kind), `${base(way)}/bytes?n=3000`);
      expect(seen).toEqual(new Array(50).fill('200 2K'));
    });

    it('windows of a kilobyte', async () => {
      const seen = await statistics('-w', '10', '-W', '10', ...via(kind), `${base(way)}/bytes?n=500000`);
      expect(seen).toEqual(['200 488K']);
    });

    it('without a table of fields, with padding', async () => {
      const args = ['--header-table-size=0', '--encoder-header-table-size=0', '-b', '255', '-m', '3'];
      expect(await statistics(...args, ...via(kind), `${base(way)}/echo`)).toEqual(new Array(3).fill('200 0'));
    });

    it('an upload with trailers after 100 Continue', async () => {
      const file = await rig.gateway.files.file('upload', 'y'.repeat(400_000));
      const args = [
        '-v',
        '--expect-continue',
        '-d',
        file,
        '--no-content-length',
        '--trailer',
        'x-sum: 7',
        ...via(kind),
      ];
      const { stdout } = await run(...args, `${base(way)}/echo`);
      expect(stdout).toMatch(/recv \(stream_id=\d+\) :status: 100\n/);
      expect(stdout).toMatch(/recv \(stream_id=\d+\) :status: 200\n/);
      expect(stdout).toMatch(/recv \(stream_id=\d+\) x-request-trailers: x-sum=7\n/);
      expect(stdout.match(/y/g)?.length ?? 0).toBeGreaterThanOrEqual(400_000);
    });

    it('an answer before the upload has ended, whole and then a reset without error', async () => {
      const file = await rig.gateway.files.file('large', 'z'.repeat(3_000_000));
      const { stdout } = await run('-v', '-d', file, ...via(kind), `${base(way)}/early`);
      expect(stdout).toMatch(/recv \(stream_id=\d+\) :status: 403\n/);
      expect(stdout).toContain('not you');
      // nghttp may be gone before the reset comes; another one than that would be wrong.
      expect(stdout).not.toMatch(/recv RST_STREAM frame[^\n]*\n +\(error_code=(?!NO_ERROR)/);
      expect(stdout).not.toMatch(/recv GOAWAY/);
    });

    it('a response that breaks off is a reset of its stream, not of the connection', async () => {
      const { stdout } = await runTool(nghttp.path as string, ['-v', ...via(kind), `${base(way)}/broken-body`]);
      expect(stdout).toContain('beginning');
      expect(stdout).toMatch(/recv RST_STREAM frame/);
      expect(stdout).not.toMatch(/recv GOAWAY/);
    });
  });

  it('an offer to upgrade is not taken', async () => {
    const { stderr } = await runTool(nghttp.path as string, ['-u', rig.plain('/echo')]);
    expect(stderr).toContain('HTTP Upgrade failed');
  });
});

describe.skipIf(h2load.path === undefined)(`h2load (${h2load.reason ?? 'present'})`, () => {
  const TOTAL = 2_000;

  async function load(...args: readonly string[]): Promise<void> {
    const { stdout } = await runTool(h2load.path as string, ['-n', String(TOTAL), '-t', '1', ...args]);
    expect(stdout).toContain(
      `requests: ${TOTAL} total, ${TOTAL} started, ${TOTAL} done, ${TOTAL} succeeded, 0 failed, 0 errored, 0 timeout`,
    );
    expect(stdout).toContain(`status codes: ${TOTAL} 2xx, 0 3xx, 0 4xx, 0 5xx`);
  }

  it.each(combinations)('ten connections of twenty requests, $way to $kind', async ({ way, kind }) => {
    await load('-c', '10', '-m', '20', ...via(kind), `${base(way)}/bytes?n=1000`);
  });

  it('one connection of a hundred requests', async () => {
    await load('-c', '1', '-m', '100', ...via('h2'), `${base('TLS')}/bytes?n=1000`);
  });

  it('uploads', async () => {
    const file = await rig.gateway.files.file('body', 'b'.repeat(5_000));
    await load('-c', '5', '-m', '10', '-d', file, ...via('h2'), `${base('h2c')}/echo`);
  });

  it('HTTP/1.1 over TLS to HTTP/2', async () => {
    await load('--h1', '-c', '10', ...via('h2'), `${base('TLS')}/bytes?n=1000`);
  });
});
