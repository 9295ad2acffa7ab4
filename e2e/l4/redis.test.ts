/**
 * Redis behind a TCP listener: its own programs as clients, with pipelines, subscriptions that stay, and values of ten megabytes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runTool } from '../src/run-tool.ts';
import { PATIENCE_MS } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const server = requireTool('redis-server');
const cli = requireTool('redis-cli');
const benchmark = requireTool('redis-benchmark');
const missing = [server, cli, benchmark].find(({ path }) => path === undefined);

const VALUE_BYTES = 10_000_000;
const MESSAGES = 1_000;

let site: Site;
let cirque: GatewayProcess;
let port: number;
let direct: number;

/** A command in the form in which Redis takes bytes. */
function command(...words: readonly (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [
    Buffer.from(`$${Buffer.byteLength(word)}\r\n`),
    Buffer.from(word),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** Sends something and reads until so many bytes have come. */
async function talk(to: number, bytes: Buffer, length: number): Promise<Buffer> {
  const socket = connect(to, '127.0.0.1');
  const timer = setTimeout(() => socket.destroy(new Error('redis is silent')), PATIENCE_MS);
  try {
    socket.write(bytes);
    const chunks: Buffer[] = [];
    let read = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      read += chunk.length;
      if (read >= length) break;
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function ask(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(cli.path as string, ['-p', String(port), ...words]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

describe.skipIf(missing !== undefined)(`redis (${missing?.reason ?? 'present'})`, () => {
  beforeAll(async () => {
    site = new Site();
    direct = await freePort();
    port = await freePort();
    const options = ['--bind', '127.0.0.1', '--port', String(direct), '--save', '', '--dir', site.folder];
    const redis = site.program(server.path as string, options);
    await redis.says(/Ready to accept connections/);
    cirque = await site.gateway(`
threads: 2
listeners: [{ name: redis, address: "127.0.0.1:${port}", protocol: tcp, upstream: redis }]
upstreams: { redis: { servers: ["127.0.0.1:${direct}"], health: tcp } }
`);
  });
  afterAll(() => site.close());

  it('answers redis-cli', async () => {
    expect(await ask('ping')).toBe('PONG');
    expect(await ask('set', 'greeting', 'hello')).toBe('OK');
    expect(await ask('get', 'greeting')).toBe('hello');
  });

  it('takes pipelines of many clients', async () => {
    const words = [
      '-p',
      String(port),
      '-n',
      '20000',
      '-c',
      '20',
      '-P',
      '16',
      '-t',
      'set,get,incr,lpush,lrange_100',
      '-q',
    ];
    const { code, stdout, stderr } = await runTool(benchmark.path as string, words, { timeoutMs: 60_000 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/requests per second/g)).toHaveLength(6);
    expect(stdout).not.toMatch(/error/i);
  });

  it('answers a pipeline of 5,000 commands in their order', async () => {
    const commands = Array.from({ length: 5_000 }, (_, index) => command('ECHO', `answer ${index}`));
    const expected = Array.from(
      { length: 5_000 },
      (_, index) => `$${`answer ${index}`.length}\r\nanswer ${index}\r\n`,
    ).join('');
    const answer = await talk(port, Buffer.concat(commands), expected.length);
    expect(answer.toString()).toBe(expected);
  });

  it('keeps values of ten megabytes as they are, in both directions', async () => {
    const value = randomBytes(VALUE_BYTES);
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect((await talk(port, command('SET', 'big', value), 5)).toString()).toBe('+OK\r\n');
    const head = `$${VALUE_BYTES}\r\n`;
    const expected = hash(Buffer.concat([Buffer.from(head), value, Buffer.from('\r\n')]));
    for (const way of [port, direct]) {
      expect(hash(await talk(way, command('GET', 'big'), head.length + VALUE_BYTES + 2))).toBe(expected);
    }
  });

  it('passes messages on to a subscription that stays over reloads', async () => {
    const subscriber = site.program(cli.path as string, ['-p', String(port), 'subscribe', 'news']);
    await subscriber.says(/^subscribe$/m);
    for (let part = 0; part < 2; part += 1) {
      const publish = Array.from({ length: MESSAGES }, (_, index) =>
        command('PUBLISH', 'news', `message ${part}-${index}`),
      );
      const answers = await talk(port, Buffer.concat(publish), MESSAGES * 4);
      expect(answers.toString()).toBe(':1\r\n'.repeat(MESSAGES));
      await subscriber.says(new RegExp(`^message ${part}-${MESSAGES - 1}$`, 'm'));
      await cirque.hangUp();
    }
    const messages = subscriber.output.match(/^message \S+$/gm);
    expect(messages).toEqual(
      [0, 1].flatMap((part) => Array.from({ length: MESSAGES }, (_, index) => `message ${part}-${index}`)),
    );
    subscriber.kill('SIGTERM');
    await subscriber.exit;
    await expect
      .poll(() => cirque.stat('upstreams', 'redis', 'byAddress', `127.0.0.1:${direct}`), { timeout: PATIENCE_MS })
      .toMatchObject({ inFlight: 0 });
    expect(cirque.errors).toEqual([]);
  });
});
