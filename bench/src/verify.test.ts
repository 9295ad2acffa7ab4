import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createContent } from './origin.ts';
import { SHAPES, type Shape } from './shapes.ts';
import { expectedCheck, verifyProxy } from './verify.ts';

const content = createContent();
const servers: Server[] = [];

function shape(name: string): Shape {
  return SHAPES.find((candidate) => candidate.name === name) as Shape;
}

/** A stand-in for proxy and origin together; `answer` may spoil what it says. */
async function serve(answer: (path: string, honest: Buffer) => { status?: number; body: Buffer }): Promise<number> {
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    const check = `method=${method};uri=${url};length=${headers['content-length'] ?? ''};agent=${headers['user-agent'] ?? ''};cookie=${headers.cookie ?? ''};hooks=${headers['x-bench-filter'] ?? ''},`;
    const honest = content.bodies.get(url) ?? Buffer.from(check);
    const { status = 200, body } = answer(url, honest);
    request.resume();
    response.writeHead(status);
    if (url === '/chunked') response.flushHeaders();
    response.end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

describe('verifyProxy', () => {
  it.each(['1k', '100b', 'post', 'new-connection', 'chunked'])('accepts right answers (%s)', async (name) => {
    const port = await serve((_path, body) => ({ body }));
    await expect(verifyProxy(port, shape(name), content, false)).resolves.toBeUndefined();
  });

  it('refuses one wrong byte', async () => {
    const port = await serve((path, body) => {
      const copy = Buffer.from(body);
      if (path === '/1k') copy[1000] = 0x21;
      return { body: copy };
    });
    await expect(verifyProxy(port, shape('1k'), content, false)).rejects.toThrow('body: expected 1024 known bytes');
  });

  it('refuses another status', async () => {
    const port = await serve((_path, body) => ({ status: 201, body }));
    await expect(verifyProxy(port, shape('1k'), content, false)).rejects.toThrow('status: expected 200, got 201');
  });

  it('refuses a proxy that loses a request field, or whose hook did not run', async () => {
    const port = await serve((path, body) => ({
      body: path.startsWith('/check') ? Buffer.from(body.toString().replace(/cookie=[^;]*; /, 'cookie=')) : body,
    }));
    await expect(verifyProxy(port, shape('1k'), content, false)).rejects.toThrow('the request at the origin');
    const honest = await serve((_path, body) => ({ body }));
    await expect(verifyProxy(honest, shape('1k'), content, true)).rejects.toThrow('response fields');
  });
});

describe('createContent', () => {
  it('differs from run to run, so that no other origin can answer for ours', () => {
    const other = createContent();
    for (const [path, body] of content.bodies) {
      expect(other.bodies.get(path)?.length).toBe(body.length);
      expect(other.bodies.get(path)?.equals(body)).toBe(false);
    }
  });
});

describe('expectedCheck', () => {
  it('names method, target, length and the fields of the shape', () => {
    expect(expectedCheck(shape('post'), true)).toMatch(
      /^method=POST;uri=\/check\?a=1&b=%2F;length=1024;agent=Mozilla.*;hooks=seen,added$/,
    );
    expect(expectedCheck(shape('100b'), false)).toBe('method=GET;uri=/check?a=1&b=%2F;length=;agent=;cookie=;hooks=,');
  });
});
