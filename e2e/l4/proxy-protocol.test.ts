/**
 * Two gateways in a row: the first one sends PROXY headers, the second one takes them and sends its own, and the server behind both
 * learns who the client is.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PATIENCE_MS } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

/** The source in a PROXY header of either version, as `address:port`. */
function sourceIn(bytes: Buffer): string | undefined {
  if (bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE) && bytes.length >= 28) {
    return `${[...bytes.subarray(16, 20)].join('.')}:${bytes.readUInt16BE(24)}`;
  }
  const [, address, port] = /^PROXY TCP4 (\S+) \S+ (\d+) \d+\r\n/.exec(bytes.toString('latin1')) ?? [];
  return address === undefined ? undefined : `${address}:${port}`;
}

/** A server that answers who the client is, as the PROXY header says. */
function whoServer(): Promise<MortalServer> {
  return MortalServer.start(site, 'who', () =>
    createServer((socket) => {
      let seen = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        seen = Buffer.concat([seen, bytes]);
        if (seen.includes('who?')) socket.end(`${sourceIn(seen)}\n`);
      });
    }),
  );
}

async function allFrom(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket.setEncoding('utf8').setTimeout(PATIENCE_MS, () => socket.destroy())) text += part;
  return text;
}

/** Answers every request with its fields. */
function fieldsServer(): Promise<MortalServer> {
  return MortalServer.start(site, 'web', () =>
    createHttpServer((asked, response) => response.end(JSON.stringify(asked.headers))),
  );
}

/** The fields that the server got for a request from 127.0.0.3. */
function fieldsOver(port: number): Promise<Record<string, string>> {
  const headers = { 'X-Forwarded-For': '1.2.3.4' };
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, localAddress: '127.0.0.3', agent: false, headers }, (response) => {
      const parsed = response.toArray().then((parts) => JSON.parse(parts.join('')) as Record<string, string>);
      resolve(parsed);
    })
      .on('error', reject)
      .end();
  });
}

it.each([
  [1, 2],
  [2, 1],
])('version %i, then version %i: behind two gateways it is known who the client is', async (first, second) => {
  const [who, web] = [await whoServer(), await fieldsServer()];
  const [outerTcp, outerWeb, innerTcp, innerWeb] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const inner = site.gateway(
    `
listeners:
  - { address: "127.0.0.1:${innerTcp}", protocol: tcp, proxy_protocol: 127.0.0.1, upstream: who }
  - address: "127.0.0.1:${innerWeb}"
    proxy_protocol: { trusted: 127.0.0.1 }
    routes: [{ proxy: web, request_headers: { set: { X-Client: "\${client_ip}" } } }]
upstreams:
  who: { servers: ["${who.address}"], proxy_protocol: ${second} }
  web: ["${web.address}"]
`,
    'inner',
  );
  const outer = site.gateway(
    `
listeners:
  - { address: "127.0.0.1:${outerTcp}", protocol: tcp, upstream: tcp }
  - { address: "127.0.0.1:${outerWeb}", protocol: tcp, upstream: web }
upstreams:
  tcp: { servers: ["127.0.0.1:${innerTcp}"], proxy_protocol: ${first} }
  web: { servers: ["127.0.0.1:${innerWeb}"], proxy_protocol: ${first} }
`,
    'outer',
  );
  await Promise.all([inner, outer]);

  const socket = connect({ port: outerTcp, host: '127.0.0.1', localAddress: '127.0.0.3' });
  await once(socket, 'connect');
  const { port } = socket.address() as AddressInfo;
  socket.write('who?');
  expect(await allFrom(socket)).toBe(`127.0.0.3:${port}\n`);

  const fields = await fieldsOver(outerWeb);
  expect(fields).toMatchObject({ 'x-client': '127.0.0.3', 'x-forwarded-for': '127.0.0.3' });
  // From an address that is not trusted no header is expected: a forged one is no request, and reaches no server.
  const before = web.accepted;
  const forger = connect({ host: '127.0.0.1', port: innerWeb, localAddress: '127.0.0.3' });
  forger.write('PROXY TCP4 9.9.9.9 127.0.0.1 1 1\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await allFrom(forger).catch(() => 'reset')).toMatch(/^(HTTP\/1\.1 400 |reset|$)/);
  expect(web.accepted).toBe(before);
});
