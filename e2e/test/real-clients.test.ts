/**
 * Ordinary clients through the proxy: curl, fetch, undici, node:http. What works without the proxy works with it.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { requireTool } from '@cirque-internal/config/system-tools';
import { Client, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodeOrigin } from '../src/node-origin.ts';
import { Subject } from '../src/subject.ts';

const run = promisify(execFile);
const BIG = 'x'.repeat(300_000);

let origin: NodeOrigin;
let subject: Subject;
let base = '';
beforeAll(async () => {
  origin = await NodeOrigin.listen();
  subject = await Subject.start(origin.port);
  base = `http://127.0.0.1:${subject.port}`;
});
afterAll(async () => {
  await subject?.stop();
  await origin.close();
});

const curlTool = requireTool('curl');

describe.skipIf(curlTool.path === undefined)(`curl (${curlTool.reason ?? 'present'})`, () => {
  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run(curlTool.path as string, ['-sS', '--max-time', '10', '--noproxy', '*', ...args], {
      maxBuffer: 10_000_000,
    });
    return stdout;
  }

  it('GET', async () => {
    const printed = await curl('-w', '%{http_code} %{http_version}', `${base}/curl`);
    expect(printed).toBe('200 1.1');
    expect(origin.understood.at(-1)).toEqual({ method: 'GET', url: '/curl', body: '' });
  });

  it('HEAD', async () => {
    const printed = await curl('-I', `${base}/curl`);
    expect(printed).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(printed).toMatch(/^X-Understood: HEAD 0\r$/im);
  });

  it('POST by length', async () => {
    expect(await curl('-d', 'a=1&b=2', `${base}/curl`)).toBe('a=1&b=2');
  });

  it('POST chunked', async () => {
    expect(await curl('-H', 'Transfer-Encoding: chunked', '-d', 'a=1&b=2', `${base}/curl`)).toBe('a=1&b=2');
  });

  it('POST with Expect: 100-continue, without curl’s wait of a second', async () => {
    const printed = await curl(
      '-H',
      'Expect: 100-continue',
      '--expect100-timeout',
      '8',
      '-w',
      ' %{http_code} %{time_total}',
      '-d',
      'hello',
      `${base}/curl`,
    );
    const [body, code, seconds] = printed.split(' ');
    expect([body, code]).toEqual(['hello', '200']);
    expect(Number(seconds), 'seconds until the answer').toBeLessThan(4);
  });

  it('a large POST', async () => {
    const printed = await curl('-d', BIG.slice(0, 100_000), `${base}/curl`);
    expect(printed.length).toBe(100_000);
  });

  it('two requests over one connection', async () => {
    const printed = await curl('-w', '[%{num_connects}]', `${base}/1`, `${base}/2`);
    expect(printed).toBe('[1][0]');
  });

  it('HTTP/1.0', async () => {
    const printed = await curl('--http1.0', '-d', 'old', '-w', ' %{http_code}', `${base}/curl`);
    expect(printed).toBe('old 200');
  });

  it('HTTP/1.0 with keep-alive', async () => {
    const fields = ['-H', 'Connection: keep-alive'];
    const printed = await curl('--http1.0', ...fields, '-w', '[%{num_connects}]', `${base}/1`, `${base}/2`);
    expect(printed).toBe('[1][0]');
  });

  it('an offer of HTTP/2 by upgrade is answered as HTTP/1.1', async () => {
    const printed = await curl('--http2', '-w', '%{http_code} %{http_version}', `${base}/curl`);
    expect(printed).toBe('200 1.1');
  });
});

describe('fetch', () => {
  it('GET', async () => {
    const response = await fetch(`${base}/fetch`);
    expect([response.status, response.headers.get('x-understood')]).toEqual([200, 'GET 0']);
    await response.arrayBuffer();
  });

  it('POST of text', async () => {
    const response = await fetch(`${base}/fetch`, { method: 'POST', body: 'hello' });
    expect(await response.text()).toBe('hello');
  });

  it('POST of a stream', async () => {
    const body = new Blob([BIG]).stream();
    const response = await fetch(`${base}/fetch`, { method: 'POST', body, duplex: 'half' });
    expect((await response.text()).length).toBe(BIG.length);
  });

  it('HEAD', async () => {
    const response = await fetch(`${base}/fetch`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('thirty requests at once', async () => {
    const texts = Array.from({ length: 30 }, async (_, index) => {
      const response = await fetch(`${base}/fetch`, { method: 'PUT', body: `body ${index}` });
      return response.text();
    });
    expect(await Promise.all(texts)).toEqual(texts.map((_, index) => `body ${index}`));
  });
});

describe('undici', () => {
  it('pipelines ten requests over one connection', async () => {
    const client = new Client(base, { pipelining: 10 });
    try {
      const answers = Array.from({ length: 10 }, async (_, index) => {
        const { statusCode, headers, body } = await client.request({ method: 'GET', path: `/undici/${index}` });
        await body.dump();
        return [statusCode, headers['x-understood']];
      });
      expect(await Promise.all(answers)).toEqual(Array(10).fill([200, 'GET 0']));
    } finally {
      await client.close();
    }
  });

  it('Expect: 100-continue', async () => {
    const client = new Client(base);
    try {
      const { statusCode, body } = await client.request({
        method: 'POST',
        path: '/undici',
        body: 'hello',
        expectContinue: true,
      });
      expect([statusCode, await body.text()]).toEqual([200, 'hello']);
    } finally {
      await client.close();
    }
  });

  it('a large body both ways', async () => {
    const { statusCode, body } = await request(`${base}/undici`, { method: 'POST', body: BIG });
    expect([statusCode, (await body.text()).length]).toEqual([200, BIG.length]);
  });
});

describe('node:http', () => {
  it('an agent keeps its connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let index = 0; index < 5; index++) {
      const sent = httpGet(`${base}/agent/${index}`, { agent });
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      ports.add(sent.socket?.localPort);
      response.resume();
      await once(response, 'end');
      expect(response.statusCode).toBe(200);
    }
    agent.destroy();
    expect(ports.size, 'client connections').toBe(1);
  });
});
