/**
 * Routes with real sockets: TLS and PROXY headers towards servers, servers that die, tables that change under load.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Server, silentLogger } from '@cirque/core';
import { httpProxyService } from '@cirque/proxy';
import { makeCa } from '@cirque/testing';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpListenerConfig } from '../src/config/gateway-config.ts';
import { HttpRoutes } from '../src/http/http-routes.ts';
import { groups, listener, proxyTo, respond, route, upstream } from './http-config.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Listens on a free port. */
async function portOf(server: TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Origin {
  readonly address: string;
  close(): Promise<void>;
}

async function origin(handler: RequestListener): Promise<Origin> {
  const server = createServer(handler);
  const port = await portOf(server);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  cleanups.push(close);
  return { address: `127.0.0.1:${port}`, close };
}

/** The listener in this process; answers its URL. */
async function serve(routes: HttpRoutes): Promise<string> {
  const server = new Server({ logger: silentLogger }, {});
  const service = httpProxyService(server.configuration, routes);
  service.addTcp('127.0.0.1:0');
  server.addService(service);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  server.onPhase((phase) => {
    if (phase === 'Running') resolve();
  });
  const stop = new AbortController();
  const running = server.run({ signal: stop.signal, fast: stop.signal });
  cleanups.push(async () => {
    stop.abort();
    await running;
  });
  await Promise.race([ready, running]);
  return `http://${service.endpoints[0]?.text}`;
}

function agent(): Agent {
  const made = new Agent({ connections: 8 });
  cleanups.push(() => made.destroy());
  return made;
}

describe('HttpRoutes with sockets', () => {
  it('HttpRoutes speaks TLS with its servers, by the name that the client asks for, and verifies it', async () => {
    const ca = makeCa('authority');
    const folder = mkdtempSync(join(tmpdir(), 'cirque-http-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, ca.cert);
    const tell = (incoming: IncomingMessage): string =>
      `${incoming.headers.host} ${(incoming.socket as TLSSocket).servername}`;
    const server = createSecure(ca.issue({ names: ['app.example'] }), (incoming, response) => {
      response.end(tell(incoming));
    });
    const address = `127.0.0.1:${await portOf(server)}`;
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const tls = { sni: undefined, verify: true, ca: caFile, clientCertificate: undefined };
    const url = await serve(
      new HttpRoutes(listener([route(proxyTo('app'))]), groups(upstream('app', [address], { tls }))),
    );
    const dispatcher = agent();
    const right = await request(url, { dispatcher, headers: { host: 'app.example:81' } });
    expect([right.statusCode, await right.body.text()]).toEqual([200, 'app.example:81 app.example']);
    const wrong = await request(url, { dispatcher, headers: { host: 'evil.example' } });
    await wrong.body.dump();
    expect(wrong.statusCode).toBe(502);
  });

  it('HttpRoutes tells its servers of each client by a PROXY header', async () => {
    const seen: string[] = [];
    const server = createTcp((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        seen.push(bytes.toString('latin1').split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
      });
    });
    const address = `127.0.0.1:${await portOf(server)}`;
    cleanups.push(() => void server.close());
    const app = upstream('app', [address], { proxyProtocol: 1 });
    const url = await serve(new HttpRoutes(listener([route(proxyTo('app'))]), groups(app)));
    const { body } = await request(url, { dispatcher: agent() });
    expect(await body.text()).toBe('ok');
    expect(seen[0]).toMatch(new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${new URL(url).port}$`));
  });

  it('HttpRoutes goes on with the other server when one dies', async () => {
    const one = await origin((_, response) => response.end('one'));
    const two = await origin((_, response) => response.end('two'));
    const app = upstream('app', [one.address, two.address]);
    const url = await serve(new HttpRoutes(listener([route(proxyTo('app'))]), groups(app)));
    const dispatcher = agent();
    const ask = async (method: 'GET' | 'POST'): Promise<string> => {
      const { body, statusCode } = await request(url, { dispatcher, method });
      return `${statusCode} ${await body.text()}`;
    };
    const before = new Set([await ask('GET'), await ask('GET')]);
    expect(before).toEqual(new Set(['200 one', '200 two']));
    await one.close();
    const after = [];
    for (let n = 0; n < 10; n += 1) after.push(await ask(n % 2 === 0 ? 'GET' : 'POST'));
    expect(after.filter((answer) => answer !== '200 two')).toEqual([]);
  });

  it('HttpRoutes loses no request while its tables are swapped', async () => {
    const one = await origin((incoming, response) => response.end(incoming.url));
    const lookup = groups(upstream('app', [one.address]));
    const tables: HttpListenerConfig[] = [
      listener([route(proxyTo('app'))]),
      listener([route(respond(404), { match: { exact: '/none' } }), route(proxyTo('app'))], { forwarded: 'both' }),
    ];
    const routes = new HttpRoutes(tables[0] as HttpListenerConfig, lookup);
    const url = await serve(routes);
    const dispatcher = agent();
    const failures: string[] = [];
    let sent = 0;
    const client = async (): Promise<void> => {
      while (sent < 400) {
        sent += 1;
        const path = `/${sent}`;
        const { body, statusCode } = await request(url + path, { dispatcher });
        const text = await body.text();
        if (statusCode !== 200 || text !== path) failures.push(`${statusCode} ${text}`);
        // Between any two requests of a client.
        routes.prepare(tables[sent % 2] as HttpListenerConfig, lookup)();
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect(failures).toEqual([]);
  });
});
