import { createServer as createHttp1Server } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { FakeClock, LeakCheck, makeCa } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Backend, GrpcHealthCheck } from '../src/index.ts';
import { closeAll, closeLater } from './cleanup.ts';
import { Endpoint, until } from './servers.ts';

/** The failure with all its causes, on one line. */
const chainOf = (result: Promise<unknown>): Promise<string> => result.then(() => 'no failure', String);

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const authority = makeCa('test authority');
const ca = authority.cert;
const identity = authority.issue({ names: ['grpc.example'], ips: ['127.0.0.1'] });

interface GrpcServer {
  readonly backend: Backend;
  /** What was asked for. */
  readonly services: string[];
  /** By service: the number of its state. Others are NOT_FOUND. */
  readonly states: Map<string, number>;
}

/** A server of @grpc/grpc-js with the health service. */
async function openGrpc(credentials = ServerCredentials.createInsecure()): Promise<GrpcServer> {
  const server = new Server();
  const services: string[] = [];
  const states = new Map([['', 1]]);
  const asIs = (bytes: Buffer): Buffer => bytes;
  const check = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestDeserialize: asIs,
    requestSerialize: asIs,
    responseDeserialize: asIs,
    responseSerialize: asIs,
  } as const;
  server.addService(
    { check },
    {
      check: ({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const service = request.subarray(2).toString();
        services.push(service);
        const state = states.get(service);
        if (state === undefined) callback({ code: status.NOT_FOUND, details: 'unknown service' });
        else callback(null, Buffer.of(0x08, state));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  closeLater(async () => server.forceShutdown());
  return { backend: Backend.parse(`127.0.0.1:${port}`), services, states };
}

/** A server of node:http2 that answers as it is told to. */
async function openHttp2(onStream: (stream: ServerHttp2Stream) => void): Promise<Endpoint> {
  const server: Http2Server = createHttp2Server();
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined).resume();
    onStream(stream);
  });
  return new Endpoint(server as unknown as ConstructorParameters<typeof Endpoint>[0]).start();
}

describe('GrpcHealthCheck', () => {
  it('GrpcHealthCheck passes while the server serves', async () => {
    const { backend, services, states } = await openGrpc();
    const check = new GrpcHealthCheck();
    await check.check(backend);
    expect(services).toEqual(['']);
    for (const [state, name] of [
      [0, 'UNKNOWN'],
      [2, 'NOT_SERVING'],
      [3, 'SERVICE_UNKNOWN'],
    ] as const) {
      states.set('', state);
      const failure = await check.check(backend).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'UnexpectedResponse', source: 'Upstream' });
      expect(String(failure)).toContain(`the server is ${name}`);
    }
    states.set('', 1);
    await check.check(backend);
  });

  it('GrpcHealthCheck asks for a service by its name', async () => {
    const { backend, services, states } = await openGrpc();
    states.set('shop.Orders', 1);
    await new GrpcHealthCheck({ service: 'shop.Orders' }).check(backend);
    expect(services).toEqual(['shop.Orders']);
    states.set('shop.Orders', 2);
    const refused = await chainOf(new GrpcHealthCheck({ service: 'shop.Orders' }).check(backend));
    expect(refused).toContain('the service shop.Orders is NOT_SERVING');
    const unknown = new GrpcHealthCheck({ service: 'shop.Nobody' }).check(backend);
    await expect(unknown).rejects.toMatchObject({ type: 'UnexpectedStatus' });
    const nobody = await chainOf(new GrpcHealthCheck({ service: 'x' }).check(backend));
    expect(nobody).toContain('grpc-status 5: unknown service');
  });

  it('GrpcHealthCheck speaks TLS, and looks at the certificate', async () => {
    const credentials = ServerCredentials.createSsl(null, [
      { cert_chain: Buffer.from(identity.cert), private_key: Buffer.from(identity.key) },
    ]);
    const { backend, services } = await openGrpc(credentials);
    await new GrpcHealthCheck({ tls: true, ca }).check(backend);
    await new GrpcHealthCheck({ tls: true, ca, sni: 'grpc.example' }).check(backend);
    expect(services).toHaveLength(2);
    const other = new GrpcHealthCheck({ tls: true, ca, sni: 'other.example' }).check(backend);
    await expect(other).rejects.toMatchObject({ type: 'InvalidCert' });
    await expect(new GrpcHealthCheck().check(backend)).rejects.toMatchObject({ source: 'Upstream' });
  });

  it('GrpcHealthCheck fails where the service is missing', async () => {
    const server = new Server();
    const port = await new Promise<number>((resolve) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
    });
    closeLater(async () => server.forceShutdown());
    const result = new GrpcHealthCheck().check(Backend.parse(`127.0.0.1:${port}`));
    expect(await chainOf(result)).toContain('grpc-status 12');
  });

  it('GrpcHealthCheck sends the authority it was given', async () => {
    const seen: unknown[] = [];
    const endpoint = await openHttp2((stream) => stream.close());
    const server = await openGrpcLike((headers) => seen.push(headers[':authority'], headers['grpc-timeout']));
    await new GrpcHealthCheck({ authority: 'grpc.example:443', readTimeoutMs: 700 }).check(server);
    await new GrpcHealthCheck().check(server);
    expect(seen).toEqual(['grpc.example:443', '700m', server.address, '1000m']);
    await expect(new GrpcHealthCheck().check(Backend.parse(endpoint.address))).rejects.toMatchObject({
      type: 'ConnectionClosed',
    });
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    [
      'a page',
      (stream) => {
        stream.respond({ ':status': 404 });
        stream.end('not found');
      },
      'UnexpectedStatus',
    ],
    [
      'no status',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end();
      },
      'UnexpectedResponse',
    ],
    [
      'garbage',
      (stream) => {
        stream.respond({ ':status': 200, 'grpc-status': '0' });
        stream.end('garbage');
      },
      'UnexpectedResponse',
    ],
    [
      'too much',
      (stream) => {
        stream.respond({ ':status': 200, 'grpc-status': '0' });
        stream.end(Buffer.alloc(10_000));
      },
      'ResponseTooLarge',
    ],
    ['a reset', (stream) => stream.close(2), 'H2Error'],
    ['a closed connection', (stream) => stream.session?.destroy(), 'ConnectionClosed'],
  ])('GrpcHealthCheck takes %s for a failure', async (_, onStream, type) => {
    const endpoint = await openHttp2(onStream);
    await expect(new GrpcHealthCheck().check(Backend.parse(endpoint.address))).rejects.toMatchObject({
      name: 'CirqueError',
      type,
    });
    await until(() => endpoint.open === 0);
  });

  it('GrpcHealthCheck fails where HTTP/1 is spoken, and where nobody listens', async () => {
    const endpoint = await new Endpoint(createHttp1Server((_, response) => response.end())).start();
    const backend = Backend.parse(endpoint.address);
    await expect(new GrpcHealthCheck().check(backend)).rejects.toMatchObject({ source: 'Upstream' });
    await endpoint.stop();
    await expect(new GrpcHealthCheck().check(backend)).rejects.toMatchObject({ type: 'ConnectRefused' });
  });

  it('GrpcHealthCheck gives up when the answer takes longer than readTimeoutMs', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    let asked = false;
    const endpoint = await openHttp2(() => {
      asked = true;
    });
    const check = new GrpcHealthCheck({ readTimeoutMs: 300, time: { clock, wheel } });
    const result = check.check(Backend.parse(endpoint.address));
    const failed = expect(result).rejects.toMatchObject({ type: 'ReadTimedout' });
    await until(() => asked);
    clock.advance(340);
    wheel.advance();
    await failed;
    expect(wheel.size).toBe(0);
    await until(() => endpoint.open === 0);
  });

  it('GrpcHealthCheck ends at once with the signal', async () => {
    let asked = false;
    const endpoint = await openHttp2(() => {
      asked = true;
    });
    const controller = new AbortController();
    const result = new GrpcHealthCheck().check(Backend.parse(endpoint.address), controller.signal);
    const chain = chainOf(result);
    await until(() => asked);
    controller.abort(new Error('shutdown'));
    expect(await chain).toContain('shutdown');
    await until(() => endpoint.open === 0);
  });

  it('GrpcHealthCheck refuses wrong options by name', () => {
    expect(() => new GrpcHealthCheck({ readTimeoutMs: 0 })).toThrow('readTimeoutMs must be an integer from 1, got 0');
    expect(() => new GrpcHealthCheck({ authority: 'a b' })).toThrow(
      'authority must be a host, or host:port, got "a b"',
    );
    expect(() => new GrpcHealthCheck({ service: 1 as unknown as string })).toThrow('service must be a name');
    expect(() => new GrpcHealthCheck({ sni: 'a.example' })).toThrow('peer option sni is given without tls');
  });
});

/** SERVING, always; tells of the fields of each request. */
async function openGrpcLike(seen: (headers: Readonly<Record<string, unknown>>) => void): Promise<Backend> {
  const server = createHttp2Server();
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    seen(headers);
    stream.on('error', () => undefined).resume();
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  });
  const endpoint = await new Endpoint(server as unknown as ConstructorParameters<typeof Endpoint>[0]).start();
  return Backend.parse(endpoint.address);
}
