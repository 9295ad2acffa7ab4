/**
 * The command as a process: what a file says is served, and another file takes its place without a gap.
 */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { makeCa } from '@cirque/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayProcess } from './gateway-process.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function gateway(): GatewayProcess {
  const one = new GatewayProcess();
  cleanups.push(() => one.end());
  return one;
}

/** A port that nobody has, most likely. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Echoes, and says its name first. */
async function echo(name: string): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(name);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The first bytes of a connection. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    return bytes.toString();
  } finally {
    socket.destroy();
  }
}

/** The common name of the certificate that a client is shown. */
async function subjectOf(port: number): Promise<string | string[] | undefined> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subject.CN;
  } finally {
    socket.destroy();
  }
}

async function httpOrigin(name: string): Promise<number> {
  const { createServer: createHttp } = await import('node:http');
  const server = createHttp((_request, response) => response.end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function get(port: number, path = '/'): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe.each([1, 2])('cirque run with %i threads', (threads) => {
  it('serves HTTP and TCP, and takes routes, upstreams and listeners over while it runs', async () => {
    const [web, stream, added] = [await freePort(), await freePort(), await freePort()];
    const [a, b, one, two] = [await httpOrigin('a'), await httpOrigin('b'), await echo('one'), await echo('two')];
    const file = (http: number, tcp: number, more = ''): string => `
threads: ${threads}
listeners:
  - { address: "127.0.0.1:${web}", upstream: app }
  - { address: "127.0.0.1:${stream}", protocol: tcp, upstream: db }
${more}
upstreams:
  app: ["127.0.0.1:${http}"]
  db: ["127.0.0.1:${tcp}"]
`;
    const cirque = await gateway().configure(file(a, one)).run();
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
    expect(await greeting(stream)).toBe('one');

    await cirque.reload(file(b, two, `  - { address: "127.0.0.1:${added}", protocol: tcp, upstream: db }`));
    // Worker threads are told in order; they need not have done it yet.
    await expect.poll(() => get(web).then(({ body }) => body)).toBe('b');
    await expect.poll(() => greeting(stream)).toBe('two');
    await expect.poll(() => greeting(added).catch(() => 'refused')).toBe('two');

    await cirque.reload(file(b, two));
    await expect.poll(() => greeting(added).catch((error: NodeJS.ErrnoException) => error.code)).toBe('ECONNREFUSED');
    cirque.kill('SIGTERM');
    expect(await cirque.exit()).toBe(0);
  });

  it('keeps what it has when the new file is wrong or an address is taken, and says why', async () => {
    const web = await freePort();
    const [a, taken] = [await httpOrigin('a'), await echo('taken')];
    const good = `threads: ${threads}\nlisteners: [{ address: "127.0.0.1:${web}", upstream: app }]\nupstreams: { app: ["127.0.0.1:${a}"] }\n`;
    const cirque = await gateway().configure(good).run();
    await cirque.reload(good.replace('upstream: app', 'upstream: ap'), /"app"|app\?/);
    expect(cirque.log).toMatch(/cirque\.yaml:\d+:\d+/);
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
    const more = `, { address: "127.0.0.1:${taken}", upstream: app }]`;
    await cirque.reload(good.replace(' }]', ` }${more}`), /reload failed; what ran before goes on/);
    expect(cirque.log).toMatch(new RegExp(`127\\.0\\.0\\.1:${taken}`));
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
  });

  it('reads certificates again on SIGHUP, whatever else has changed', async () => {
    const web = await freePort();
    const cirque = gateway();
    const ca = makeCa('Test CA');
    const use = (name: string): void => {
      const { cert, key } = ca.issue({ names: [name], commonName: name });
      writeFileSync(`${cirque.folder}/web.pem`, cert);
      writeFileSync(`${cirque.folder}/web.key`, key);
    };
    const file = (body: string): string =>
      `threads: ${threads}\nlisteners: [{ address: "127.0.0.1:${web}", tls: { cert: web.pem, key: web.key }, respond: ${body} }]\n`;
    use('one.example');
    await cirque.configure(file('a')).run();
    expect(await subjectOf(web)).toBe('one.example');
    use('two.example');
    await cirque.reload(file('a'), /certificates read again/);
    await expect.poll(() => subjectOf(web)).toBe('two.example');
    use('three.example');
    await cirque.reload(file('b'), /certificates read again/);
    await expect.poll(() => subjectOf(web)).toBe('three.example');
  });

  it('stops when it is told to while it takes a file over', async () => {
    const [web, a] = [await freePort(), await httpOrigin('a')];
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(() => void silent.close());
    const listeners = `threads: ${threads}\nlisteners: [{ address: "127.0.0.1:${web}", upstream: app }]\n`;
    const cirque = await gateway().configure(`${listeners}upstreams: { app: ["127.0.0.1:${a}"] }\n`).run();
    const health = 'health: { http: /, timeout: 1m, interval: 2m }';
    const { port } = silent.address() as AddressInfo;
    cirque.configure(`${listeners}upstreams: { app: { servers: ["127.0.0.1:${port}"], ${health} } }\n`);
    cirque.kill('SIGHUP');
    await once(silent, 'connection');
    // It goes on with what it has until the checks are done.
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
    cirque.kill('SIGTERM');
    expect(await cirque.exit()).toBe(0);
    expect(cirque.log).toMatch(/the server stops: it takes over nothing any more/);
  });

  it('loses no connection while it is told again and again', async () => {
    const [web, stream] = [await freePort(), await freePort()];
    const [a, one] = [await httpOrigin('a'), await echo('one')];
    const file = (limit: number): string => `
threads: ${threads}
listeners:
  - { address: "127.0.0.1:${web}", upstream: app, max_connections: ${limit} }
  - { address: "127.0.0.1:${stream}", protocol: tcp, upstream: db, max_connections: ${limit} }
upstreams:
  app: { servers: ["127.0.0.1:${a}"], queue: { size: ${limit} } }
  db: ["127.0.0.1:${one}"]
`;
    const cirque = await gateway().configure(file(1_000)).run();
    let isOver = false;
    let done = 0;
    const client = async (): Promise<void> => {
      while (!isOver) {
        expect(await get(web)).toEqual({ status: 200, body: 'a' });
        expect(await greeting(stream)).toBe('one');
        done += 2;
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    for (let limit = 1_001; limit < 1_006; limit += 1) await cirque.reload(file(limit));
    const enough = done + 50;
    while (done < enough) await sleep(10);
    isOver = true;
    await clients;
  });
});

describe('cirque', () => {
  it('serves without a file what --upstream says', async () => {
    const [web, a] = [await freePort(), await httpOrigin('a')];
    const cirque = gateway();
    cirque.start(['--upstream', `127.0.0.1:${a}`, '--listen', `127.0.0.1:${web}`]);
    await cirque.logs(/gateway ready/);
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
    cirque.kill('SIGTERM');
    expect(await cirque.exit()).toBe(0);
  });

  it('passes WebSockets on, and cuts those through which nothing passes for too long', async () => {
    const web = await freePort();
    const origin = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello');
      });
    }).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    cleanups.push(() => void origin.close());
    const { port } = origin.address() as AddressInfo;
    await gateway()
      .configure(
        `listeners: [{ address: "127.0.0.1:${web}", upstream: app, tunnel_idle_timeout: 500ms }]\nupstreams: { app: "127.0.0.1:${port}" }\n`,
      )
      .run();
    const client = connect(web, '127.0.0.1');
    cleanups.push(() => void client.destroy());
    client.on('error', () => {}); // it is cut
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    let seen = '';
    client.on('data', (bytes: Buffer) => {
      seen += bytes.toString();
    });
    await closed;
    expect(seen).toMatch(/^HTTP\/1\.1 101 /);
    expect(seen).toMatch(/hello$/);
  });

  it.each([
    [['rnu'], 2, /did you mean run\?/],
    [['run', '--upstrem', 'x'], 2, /--upstream/],
    [['run'], 2, /name a file with -c, or a server with --upstream/],
    [['run', '-c', 'nowhere.yaml'], 1, /nowhere\.yaml/],
    [['run', '-c', 'x.yaml', '--upstream', '127.0.0.1:1'], 2, /exclude each other/],
    [['top', '--control', '127.0.0.1:1', '-n'], 1, /no statistics from 127\.0\.0\.1:1/],
    [['top', '--interval', 'x'], 2, /--interval must be/],
    [[], 2, /^$/],
  ])('refuses %j with code %i', async (words, code, message) => {
    const cirque = gateway();
    cirque.start(words);
    expect(await cirque.exit()).toBe(code);
    expect(cirque.log).toMatch(message);
  });

  it('ends in silence when nobody reads what it prints', () => {
    const program = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
    const shell = `"$0" --conditions=@cirque/source "$1" schema | head -c 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, program], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '{', stderr: '' });
  });

  it('shows in top what it does, and takes the state of a server at its control address', async () => {
    const [web, a] = [await freePort(), await httpOrigin('a')];
    const cirque = gateway();
    const control = `${cirque.folder}/control.sock`;
    await cirque
      .configure(
        `control: "unix:${control}"\nlisteners: [{ address: "127.0.0.1:${web}", upstream: app }]\nupstreams: { app: ["127.0.0.1:${a}"] }\n`,
      )
      .run();
    expect((await get(web)).status).toBe(200);
    const path = `/upstreams/app/servers/127.0.0.1:${a}/state`;
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      request({ socketPath: control, path, method: 'PUT', headers: { Host: 'localhost' } }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      })
        .on('error', reject)
        .end('maintenance');
    });
    expect(answer).toBe(200);
    expect((await get(web)).status).toBe(503);
    const top = gateway();
    top.start(['top', '--control', `unix:${control}`, '--once']);
    expect(await top.exit()).toBe(0);
    expect(top.out).toMatch(new RegExp(`app\\s+127\\.0\\.0\\.1:${a}\\s+maintenance\\s`));
    expect(top.out).toContain(`127.0.0.1:${web}`);
  });

  it('counts in top what passes through each kind of listener', async () => {
    const [web, tcp, udp] = [await freePort(), await freePort(), await freePort()];
    const [a, one] = [await httpOrigin('a'), await echo('one')];
    const datagrams = createSocket('udp4').on('message', (bytes, { address, port }) => {
      datagrams.send(bytes, port, address);
    });
    await new Promise<void>((resolve) => datagrams.bind(0, '127.0.0.1', resolve));
    cleanups.push(() => void datagrams.close());
    const cirque = await gateway()
      .configure(`
control: "unix:control.sock"
listeners:
  - { name: web, address: "127.0.0.1:${web}", upstream: app }
  - { name: bytes, address: "127.0.0.1:${tcp}", protocol: tcp, upstream: db }
  - { name: datagrams, address: "127.0.0.1:${udp}", protocol: udp, upstream: dns }
upstreams:
  app: ["127.0.0.1:${a}"]
  db: ["127.0.0.1:${one}"]
  dns: ["127.0.0.1:${datagrams.address().port}"]
`)
      .run();
    expect(await get(web)).toEqual({ status: 200, body: 'a' });
    expect(await greeting(tcp)).toBe('one');
    const client = createSocket('udp4');
    cleanups.push(() => void client.close());
    client.send('hello', udp, '127.0.0.1');
    await once(client, 'message');
    const top = gateway();
    top.start(['top', '--control', `unix:${cirque.folder}/control.sock`, '--once']);
    expect(await top.exit()).toBe(0);
    for (const [name, requests] of [
      ['web', '[\\d.]+'],
      ['bytes', '-'],
      ['datagrams', '-'],
    ]) {
      expect(top.out).toMatch(new RegExp(`^${name}\\s+\\d+\\s+[\\d.]+\\s+${requests}\\s+[\\d.]+\\s+[\\d.]+$`, 'm'));
    }
  });
});
