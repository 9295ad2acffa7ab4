/**
 * gRPC end to end: client and server of `@grpc/grpc-js`, with TLS and without on either side.
 */

import { LeakCheck, makeCa } from '@cirque/testing';
import {
  type Client,
  credentials,
  Metadata,
  type Server,
  ServerCredentials,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ORIGIN_NAME } from '../src/four-origins.ts';
import { Gateway } from '../src/gateway.ts';
import { bindServer, type GrpcLog, METHODS, makeClient, makeServer } from '../src/grpc-service.ts';
import { GATEWAY_NAME } from '../src/peers-rig.ts';

type Way = 'plaintext' | 'TLS';
const pairs = (['plaintext', 'TLS'] as const).flatMap((from) =>
  (['plaintext', 'TLS'] as const).map((to) => ({ from, to })),
);

const leaks = LeakCheck.start();
const ca = makeCa('Test authority');
const log: GrpcLog = { cancelled: [] };
const servers: Server[] = [];
let gateway: Gateway;

beforeAll(async () => {
  const { cert, key } = ca.issue({ names: [ORIGIN_NAME] });
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  servers.push(makeServer(log), makeServer(log));
  const plain = await bindServer(servers[0] as Server, ServerCredentials.createInsecure());
  const tls = await bindServer(servers[1] as Server, ServerCredentials.createSsl(null, [pair]));
  gateway = await Gateway.start({
    upstreams: {
      plaintext: { address: `127.0.0.1:${plain}`, options: { alpn: 'h2' } },
      TLS: { address: `127.0.0.1:${tls}`, options: { alpn: 'h2', tls: true, sni: ORIGIN_NAME, ca: ca.cert } },
      nobody: { address: '127.0.0.1:1', options: { alpn: 'h2' } },
    },
    tls: { certificate: ca.issue({ names: [GATEWAY_NAME] }), alpn: ['h2', 'http/1.1'] },
  });
});
afterAll(async () => {
  for (const server of servers) server.forceShutdown();
  await gateway?.stop();
  await leaks.assertClean();
});

function clientOf(way: Way, compression = 0): Client {
  const options = { 'grpc.ssl_target_name_override': GATEWAY_NAME, 'grpc.default_compression_algorithm': compression };
  return way === 'plaintext'
    ? makeClient(`127.0.0.1:${gateway.port}`, credentials.createInsecure(), options)
    : makeClient(`127.0.0.1:${gateway.tlsPort}`, credentials.createSsl(Buffer.from(ca.cert)), options);
}

interface Outcome {
  readonly message: Buffer | undefined;
  readonly error: ServiceError | undefined;
  readonly initial: Metadata | undefined;
  readonly trailing: Metadata | undefined;
}

interface UnaryCall {
  readonly outcome: Promise<Outcome>;
  cancel(): void;
}

/** Calls a method with one message each way. */
function call(
  client: Client,
  { path }: { readonly path: string },
  message: Buffer,
  metadata: Metadata,
  deadlineMs = 10_000,
): UnaryCall {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let initial: Metadata | undefined;
  let answered: { error: ServiceError | null; message: Buffer | undefined } | undefined;
  let final: StatusObject | undefined;
  const settle = (): void => {
    if (answered === undefined || final === undefined) return;
    resolve({ message: answered.message, error: answered.error ?? undefined, initial, trailing: final.metadata });
  };
  const same = (bytes: Buffer): Buffer => bytes;
  const options = { deadline: Date.now() + deadlineMs };
  const running = client.makeUnaryRequest(path, same, same, message, metadata, options, (error, value) => {
    answered = { error, message: value };
    settle();
  });
  running.on('metadata', (received: Metadata) => {
    initial = received;
  });
  running.on('status', (received: StatusObject) => {
    final = received;
    settle();
  });
  return { outcome: promise, cancel: () => running.cancel() };
}

describe.each(pairs)('gRPC, $from to $to', ({ from, to }) => {
  let client: Client;
  beforeAll(() => {
    client = clientOf(from);
  });
  afterAll(() => client.close());

  const same = (bytes: Buffer): Buffer => bytes;
  function metadata(fields: Readonly<Record<string, string | Buffer>> = {}): Metadata {
    const all = new Metadata();
    for (const [name, value] of Object.entries({ 'x-upstream': to, ...fields })) all.set(name, value);
    return all;
  }

  it('unary, with metadata in all places', async () => {
    const bytes = Buffer.from([0, 1, 254, 255]);
    const sent = metadata({ 'x-word': 'plain text', 'x-bytes-bin': bytes });
    const { message, error, initial, trailing } = await call(client, METHODS.echo, Buffer.from('hello'), sent).outcome;
    expect(error).toBeUndefined();
    expect(message?.toString()).toBe('hello');
    expect(initial?.get('x-word')).toEqual(['plain text']);
    expect(initial?.get('x-peer')[0]).toMatch(/^grpc-node-js/);
    expect(trailing?.get('x-bytes-bin')).toEqual([bytes]);
  });

  it.each([0, 1, 65_535, 4_194_304])('a message of %i bytes', async (size) => {
    const sent = Buffer.alloc(size, 'g');
    const { message } = await call(client, METHODS.echo, sent, metadata()).outcome;
    expect(message?.equals(sent)).toBe(true);
  });

  it('compressed messages', async () => {
    const gzip = clientOf(from, 2);
    const sent = Buffer.alloc(100_000, 'c');
    const { message } = await call(gzip, METHODS.echo, sent, metadata()).outcome;
    expect(message?.equals(sent)).toBe(true);
    gzip.close();
  });

  it('two hundred calls at once', async () => {
    const calls = Array.from({ length: 200 }, (_, at) => call(client, METHODS.echo, Buffer.from(`${at}`), metadata()));
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
    expect(outcomes.map(({ message }) => message?.toString())).toEqual(calls.map((_, at) => `${at}`));
  });

  it.each([status.INVALID_ARGUMENT, status.UNAUTHENTICATED, status.INTERNAL])(
    'an error without a body, status %i',
    async (code) => {
      const { error, trailing } = await call(client, METHODS.fail, Buffer.from(String(code)), metadata()).outcome;
      expect(error).toMatchObject({ code, details: 'es ging schief: 100 %' });
      expect(trailing?.get('x-why')).toEqual(['because']);
    },
  );

  it('a method that nobody has', async () => {
    const { error } = await call(client, { path: '/test.Service/Missing' }, Buffer.alloc(0), metadata()).outcome;
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });

  it('client streaming', async () => {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const stream = client.makeClientStreamRequest(METHODS.collect.path, same, same, metadata(), (_error, value) =>
      resolve(value),
    );
    for (let at = 0; at < 300; at++) stream.write(Buffer.alloc(5_000));
    stream.end();
    expect((await promise)?.toString()).toBe('300 messages, 1500000 bytes');
  });

  it('server streaming, with a client that reads slowly', async () => {
    const stream = client.makeServerStreamRequest(METHODS.count.path, same, same, Buffer.from('400 10000'), metadata());
    let [messages, bytes] = [0, 0];
    for await (const message of stream as AsyncIterable<Buffer>) {
      bytes += message.length;
      if (messages++ % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([messages, bytes]).toEqual([400, 4_000_000]);
  });

  it('bidirectional streaming, one message after the other', async () => {
    const stream = client.makeBidiStreamRequest(METHODS.chat.path, same, same, metadata());
    const replies = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (const word of ['one', 'two', 'three']) {
      stream.write(Buffer.from(word));
      expect((await replies.next()).value.toString()).toBe(`re: ${word}`);
    }
    stream.end();
    expect((await replies.next()).done).toBe(true);
  });

  it('an error after messages', async () => {
    const stream = client.makeServerStreamRequest(METHODS.breakOff.path, same, same, Buffer.alloc(0), metadata());
    const seen: string[] = [];
    const failure = (async () => {
      for await (const message of stream as AsyncIterable<Buffer>) seen.push(message.toString());
    })();
    await expect(failure).rejects.toMatchObject({ code: status.DATA_LOSS, details: 'no more' });
    expect(seen).toEqual(['one', 'two']);
  });

  it('a deadline ends the call on both sides', async () => {
    const name = `deadline ${from} ${to}`;
    const { error } = await call(client, METHODS.never, Buffer.from(name), metadata(), 300).outcome;
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitFor(() => expect(log.cancelled).toContain(`never ${name}`), 3_000);
  });

  it('a cancelled call is cancelled on the server', async () => {
    const name = `cancel ${from} ${to}`;
    const running = call(client, METHODS.never, Buffer.from(name), metadata());
    setTimeout(() => running.cancel(), 100);
    expect((await running.outcome).error?.code).toBe(status.CANCELLED);
    await vi.waitFor(() => expect(log.cancelled).toContain(`never ${name}`), 3_000);
  });

  it('a cancelled stream is cancelled on the server', async () => {
    const before = log.cancelled.length;
    const stream = client.makeServerStreamRequest(
      METHODS.count.path,
      same,
      same,
      Buffer.from('100000 10000'),
      metadata(),
    );
    stream.on('error', () => undefined);
    stream.once('data', () => stream.cancel());
    const [final] = await new Promise<[StatusObject]>((resolve) =>
      stream.once('status', (received) => resolve([received])),
    );
    expect(final.code).toBe(status.CANCELLED);
    await vi.waitFor(() => expect(log.cancelled.slice(before)).toContain('count'), 3_000);
  });

  it('a server that is not there is unavailable', async () => {
    const { error } = await call(client, METHODS.echo, Buffer.alloc(0), metadata({ 'x-upstream': 'nobody' })).outcome;
    expect(error?.code).toBe(status.UNAVAILABLE);
  });
});
