import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backend, HttpHealthCheck, type HttpHealthCheckOptions } from '../src/index.ts';
import { openBlackHole } from './black-hole.ts';
import { closeAll } from './cleanup.ts';
import { Endpoint, until } from './servers.ts';

const host = 'health.example.com';
/** The failure with all its causes, on one line. */
const chainOf = (result: Promise<unknown>): Promise<string> => result.then(() => 'no failure', String);

let leaks: LeakCheck;
let folder: string;
beforeEach(() => {
  leaks = LeakCheck.start();
  folder = mkdtempSync(join(tmpdir(), 'cirque-lb-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
  await leaks.assertClean();
});

const signal = (): AbortSignal => new AbortController().signal;

/** An endpoint that answers each connection's first bytes with these bytes. */
async function answering(bytes: string, options: { close?: boolean } = {}): Promise<Endpoint> {
  const server = createServer((socket) => {
    socket.once('data', () => (options.close ? socket.end(bytes) : socket.write(bytes)));
  });
  return new Endpoint(server).start();
}

/** Hand-driven time for checks. */
function handDriven(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel };
}

describe('HttpHealthCheck', () => {
  it('HttpHealthCheck sends a GET for / with the Host it was given, on a connection of its own', async () => {
    const requests: IncomingMessage[] = [];
    const endpoint = await Endpoint.http((request, response) => {
      requests.push(request);
      response.end('well');
    }).start();
    const check = new HttpHealthCheck({ host });
    await check.check(Backend.parse(endpoint.address), signal());
    await check.check(Backend.parse(endpoint.address), signal());
    expect(requests[0]).toMatchObject({ method: 'GET', url: '/', httpVersion: '1.1' });
    expect(requests[0]?.headers).toEqual({ host, connection: 'close' });
    expect(endpoint.connections).toBe(2);
    await until(() => endpoint.open === 0);
  });

  it('HttpHealthCheck sends the method, path and fields it was given', async () => {
    let seen: IncomingMessage | undefined;
    const endpoint = await Endpoint.http((request, response) => {
      seen = request;
      response.end();
    }).start();
    const check = new HttpHealthCheck({
      host,
      method: 'HEAD',
      path: '/health?deep=1',
      headers: { 'X-Check': 'cirque' },
    });
    await check.check(Backend.parse(endpoint.address), signal());
    expect(seen).toMatchObject({ method: 'HEAD', url: '/health?deep=1' });
    expect(seen?.headers).toMatchObject({ host, 'x-check': 'cirque' });
  });

  it('HttpHealthCheck checks on unix-domain sockets', async () => {
    let seen: string | undefined;
    const listener = (request: IncomingMessage, response: { end: () => void }): void => {
      seen = request.headers.host;
      response.end();
    };
    const endpoint = await Endpoint.http(listener, join(folder, 'a.sock')).start();
    await new HttpHealthCheck({ host, portOverride: 1 }).check(Backend.parse(endpoint.address), signal());
    expect(seen).toBe(host);
  });

  it('HttpHealthCheck checks another port when it is told to', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end()).start();
    const check = new HttpHealthCheck({ host, portOverride: endpoint.port });
    await check.check(Backend.parse('127.0.0.1:1'), signal());
    expect(endpoint.connections).toBe(1);
  });

  it.each<[number, HttpHealthCheckOptions['expectedStatus'], boolean]>([
    [201, undefined, false],
    [503, undefined, false],
    [204, 204, true],
    [301, [200, 301], true],
    [200, [201, 202], false],
    [204, [[200, 299]], true],
    [300, [[200, 299]], false],
    [302, [200, [301, 302]], true],
  ])('HttpHealthCheck takes status %d, when %j is expected, for %j', async (status, expectedStatus, isWell) => {
    const endpoint = await Endpoint.http((_, response) => {
      response.writeHead(status);
      response.end();
    }).start();
    const result = new HttpHealthCheck({ host, expectedStatus }).check(Backend.parse(endpoint.address), signal());
    if (isWell) await result;
    else await expect(result).rejects.toMatchObject({ type: 'UnexpectedStatus', source: 'Upstream' });
    await until(() => endpoint.open === 0);
  });

  it('HttpHealthCheck names what was expected and what came', async () => {
    const endpoint = await Endpoint.http((_, response) => {
      response.statusCode = 503;
      response.end('x'.repeat(100_000));
    }).start();
    const result = new HttpHealthCheck({ host }).check(Backend.parse(endpoint.address), signal());
    const chain = String(await result.catch((error: unknown) => error));
    expect(chain).toContain('expected status 200, got 503');
    expect(chain).toContain(endpoint.address);
  });

  it('HttpHealthCheck lets the validator decide, on any status unless some are expected', async () => {
    const endpoint = await Endpoint.http((_, response) => {
      response.writeHead(503, { 'X-State': ['draining', 'slow'] });
      response.end();
    }).start();
    const backend = Backend.parse(endpoint.address);
    const seen: unknown[] = [];
    const validator = ({ headers, statusCode }: { headers: object; statusCode: number }): boolean => {
      seen.push(statusCode, Reflect.get(headers, 'x-state'));
      return true;
    };
    await new HttpHealthCheck({ host, validator }).check(backend, signal());
    expect(seen).toEqual([503, ['draining', 'slow']]);
    const strict = new HttpHealthCheck({ host, validator, expectedStatus: 200 });
    await expect(strict.check(backend, signal())).rejects.toMatchObject({ type: 'UnexpectedStatus' });
    const refusing = new HttpHealthCheck({ host, validator: async () => false });
    await expect(refusing.check(backend, signal())).rejects.toMatchObject({ type: 'UnexpectedResponse' });
    const throwing = new HttpHealthCheck({
      host,
      validator: () => {
        throw new Error('not my backend');
      },
    });
    const failure = await throwing.check(backend, signal()).catch((error: unknown) => error);
    expect(CirqueError.is(failure) && failure.rootCause()).toMatchObject({ message: 'not my backend' });
  });

  it('HttpHealthCheck fails where nobody listens', async () => {
    const endpoint = await Endpoint.tcp().start();
    await endpoint.stop();
    const result = new HttpHealthCheck({ host }).check(Backend.parse(endpoint.address), signal());
    await expect(result).rejects.toMatchObject({ type: 'ConnectRefused' });
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH\r\n'],
    ['a cut head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['a cut body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'],
    ['a cut chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12'],
    ['nothing', ''],
  ])('HttpHealthCheck takes %s for a failure', async (_, bytes) => {
    const endpoint = await answering(bytes, { close: true });
    const result = new HttpHealthCheck({ host }).check(Backend.parse(endpoint.address), signal());
    await expect(result).rejects.toMatchObject({ name: 'CirqueError', source: 'Upstream' });
  });

  it('HttpHealthCheck reads a body to its end, whatever its framing', async () => {
    for (const bytes of [
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.0 200 OK\r\n\r\nuntil close',
    ]) {
      const endpoint = await answering(bytes, { close: true });
      await new HttpHealthCheck({ host }).check(Backend.parse(endpoint.address), signal());
    }
  });

  it.each<[string, string | RegExp, boolean]>([
    ['{"status":"ok"}', '"status":"ok"', true],
    ['{"status":"down"}', '"status":"ok"', false],
    ['{"status": "ok"}', /"status":\s*"ok"/, true],
    ['DOWN', /^up$/i, false],
    ['UP', /^up$/gi, true],
    ['', 'x', false],
    ['Grüße', 'üße', true],
  ])('HttpHealthCheck takes the body %j, when %s is expected, for %j', async (body, expectedBody, isWell) => {
    const endpoint = await Endpoint.http((_, response) => response.end(body)).start();
    const check = new HttpHealthCheck({ host, expectedBody });
    // Twice, as expressions may remember where they were.
    for (let i = 0; i < 2; i += 1) {
      const result = check.check(Backend.parse(endpoint.address), signal());
      if (isWell) await result;
      else await expect(result).rejects.toMatchObject({ type: 'UnexpectedResponse', source: 'Upstream' });
    }
    await until(() => endpoint.open === 0);
  });

  it('HttpHealthCheck says what was expected in the body, and what was there', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end('maintenance\n')).start();
    const result = new HttpHealthCheck({ host, expectedBody: 'ok' }).check(Backend.parse(endpoint.address), signal());
    expect(await chainOf(result)).toContain('expected "ok" in the body, which begins "maintenance');
  });

  it('HttpHealthCheck looks at maxBodyBytes of the body, and reads no more than that', async () => {
    let written = 0;
    const endpoint = await Endpoint.http((_, response) => {
      const write = (): void => {
        // More than any buffer on the way holds.
        for (; written < 200_000_000 && !response.destroyed; written += 65_536) {
          if (!response.write('x'.repeat(65_536))) break;
        }
      };
      response.write('head of the body, ok');
      response.on('drain', write);
      write();
    }).start();
    const options = { host, expectedBody: 'ok', reuseConnection: true };
    const check = new HttpHealthCheck({ ...options, maxBodyBytes: 20 });
    await check.check(Backend.parse(endpoint.address), signal());
    await until(() => endpoint.open === 0);
    expect(written).toBeLessThan(200_000_000);
    const strict = new HttpHealthCheck({ ...options, maxBodyBytes: 19 });
    const result = strict.check(Backend.parse(endpoint.address), signal());
    expect(await chainOf(result)).toContain('expected "ok" in the first 19 bytes of the body');
    await until(() => endpoint.open === 0);
    await Promise.all([check.release(), strict.release()]);
  });

  it('HttpHealthCheck keeps its connection after a body that was read to its end', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end('ok')).start();
    const check = new HttpHealthCheck({ host, expectedBody: 'ok', maxBodyBytes: 2, reuseConnection: true });
    for (let i = 0; i < 3; i += 1) await check.check(Backend.parse(endpoint.address), signal());
    expect(endpoint.connections).toBe(1);
    await check.release();
  });

  it('HttpHealthCheck gives up when the head takes longer than readTimeoutMs', async () => {
    const time = handDriven();
    let heard = false;
    const server = createServer((socket) => {
      socket.once('data', () => {
        heard = true;
        socket.write('HTTP/1.1 200 OK\r\n');
      });
    });
    const endpoint = await new Endpoint(server).start();
    const check = new HttpHealthCheck({ host, readTimeoutMs: 300, time });
    const result = check.check(Backend.parse(endpoint.address), signal());
    await until(() => heard);
    time.clock.advance(340);
    await expect(result).rejects.toMatchObject({ type: 'ReadTimedout' });
    expect(time.wheel.size).toBe(0);
    await until(() => endpoint.open === 0);
  });

  it('HttpHealthCheck gives up when the body stands still for readTimeoutMs', async () => {
    const time = handDriven();
    let push: (() => void) | undefined;
    const endpoint = await Endpoint.http((_, response) => {
      push = () => response.write('more');
    }).start();
    const check = new HttpHealthCheck({ host, readTimeoutMs: 300, time });
    const state = { settled: false };
    const result = check.check(Backend.parse(endpoint.address), signal());
    result.catch(() => undefined).finally(() => (state.settled = true));
    await until(() => push !== undefined);
    const arm = vi.spyOn(time.wheel, 'arm');
    for (let i = 0; i < 5; i += 1) {
      // The first piece comes with the head: the timer is set for the body, and then for what follows this piece.
      const armed = arm.mock.calls.length;
      push?.();
      await until(() => arm.mock.calls.length >= armed + (i === 0 ? 2 : 1));
      time.clock.advance(200);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.settled).toBe(false);
    time.clock.advance(340);
    await expect(result).rejects.toMatchObject({ type: 'ReadTimedout' });
    await until(() => endpoint.open === 0);
  });

  it.runIf(process.platform === 'linux')(
    'HttpHealthCheck gives up when connecting takes longer than connectionTimeoutMs',
    async () => {
      const hole = await openBlackHole();
      const time = handDriven();
      const check = new HttpHealthCheck({ host, connectionTimeoutMs: 300, time });
      const result = check.check(Backend.parse(hole), signal());
      await until(() => time.wheel.size === 1);
      time.clock.advance(340);
      await expect(result).rejects.toMatchObject({ type: 'ConnectTimedout' });
      expect(time.wheel.size).toBe(0);
    },
  );

  it('HttpHealthCheck ends at once with the signal, in whatever state it is', async () => {
    const endpoint = await Endpoint.http((_, response) => response.write('never ends')).start();
    const backend = Backend.parse(endpoint.address);
    const early = new AbortController();
    const connecting = new HttpHealthCheck({ host }).check(backend, early.signal);
    early.abort(new Error('shutdown'));
    await expect(connecting).rejects.toThrow();
    const late = new AbortController();
    const reading = new HttpHealthCheck({ host }).check(backend, late.signal);
    await until(() => endpoint.open === 1);
    late.abort(new Error('shutdown'));
    await expect(reading).rejects.toThrow();
    await until(() => endpoint.open === 0);
  });
});

describe('HttpHealthCheck with reuseConnection', () => {
  const options = { host, reuseConnection: true };

  it('HttpHealthCheck keeps one connection per backend', async () => {
    let requests = 0;
    const endpoint = await Endpoint.http((_, response) => {
      requests += 1;
      response.end('well');
    }).start();
    const check = new HttpHealthCheck(options);
    for (let i = 0; i < 4; i += 1) await check.check(Backend.parse(endpoint.address), signal());
    expect([requests, endpoint.connections]).toEqual([4, 1]);
    await check.release();
    await until(() => endpoint.open === 0);
    await check.check(Backend.parse(endpoint.address), signal());
    check.forget(Backend.parse(endpoint.address));
    await until(() => endpoint.open === 0);
  });

  it('HttpHealthCheck does not take a connection that went stale for an ill backend', async () => {
    let requests = 0;
    const endpoint = await Endpoint.http((request, response) => {
      requests += 1;
      // The race of a backend that closes its idle connection just as the next request arrives.
      if (requests === 2) request.socket.destroy();
      else response.end();
    }).start();
    const check = new HttpHealthCheck(options);
    await check.check(Backend.parse(endpoint.address), signal());
    await check.check(Backend.parse(endpoint.address), signal());
    expect([requests, endpoint.connections]).toEqual([3, 2]);
    await check.release();
  });

  it('HttpHealthCheck notices that the backend is gone, and that it is back', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end()).start();
    const backend = Backend.parse(endpoint.address);
    const check = new HttpHealthCheck(options);
    await check.check(backend, signal());
    await endpoint.stop();
    await expect(check.check(backend, signal())).rejects.toMatchObject({ type: 'ConnectRefused' });
    await endpoint.start();
    await check.check(backend, signal());
    await check.release();
  });

  it('HttpHealthCheck gives a connection up after a bad answer', async () => {
    let status = 200;
    const endpoint = await Endpoint.http((_, response) => {
      response.statusCode = status;
      response.end('body');
    }).start();
    const backend = Backend.parse(endpoint.address);
    const check = new HttpHealthCheck(options);
    await check.check(backend, signal());
    status = 500;
    await expect(check.check(backend, signal())).rejects.toMatchObject({ type: 'UnexpectedStatus' });
    await until(() => endpoint.open === 0);
    status = 200;
    await check.check(backend, signal());
    expect(endpoint.connections).toBe(2);
    await check.release();
  });

  it('HttpHealthCheck keeps only one connection when checks of one backend overlap', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end()).start();
    const backend = Backend.parse(endpoint.address);
    const check = new HttpHealthCheck(options);
    await Promise.all([check.check(backend, signal()), check.check(backend, signal()), check.check(backend, signal())]);
    await until(() => endpoint.open === 1);
    await check.release();
    await until(() => endpoint.open === 0);
  });
});
