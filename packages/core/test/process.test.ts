import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawClient } from '@cirque/testing';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { ChildServer } from './child-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'cirque-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The server of these tests. */
class ServerProcess extends ChildServer {
  constructor(args: readonly string[], env: Record<string, string> = {}) {
    super('server-process.ts', args, { env });
  }

  async running(): Promise<{ http: string; port: number; stuck: number }> {
    const match = await this.prints(/http (127\.0\.0\.1:(\d+)) stuck 127\.0\.0\.1:(\d+) running/);
    return { http: `http://${match[1]}`, port: Number(match[2]), stuck: Number(match[3]) };
  }
}

// Every test cleans up after itself, whatever its outcome.
function start({ onTestFinished }: TestContext, args: readonly string[], env?: Record<string, string>): ServerProcess {
  const child = new ServerProcess(args, env);
  onTestFinished(() => child.kill('SIGKILL'));
  return child;
}

async function connect({ onTestFinished }: TestContext, port: number): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  onTestFinished(() => client.close());
  return client;
}

async function occupied({ onTestFinished }: TestContext): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as { port: number }).port;
}

function conf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('runForever', { timeout: 40_000 }, () => {
  test('SIGTERM: the request under way is answered, then the process ends by itself at once', async (context) => {
    const child = start(context, []);
    const { port } = await child.running();
    const idle = await connect(context, port);
    await idle.send('GET /idle HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.waitFor('waited 0\n');
    const busy = await connect(context, port);
    await busy.send('GET /busy?ms=700 HTTP/1.1\r\nHost: a\r\n\r\n');
    await child.prints(/request \/busy/);
    const started = performance.now();
    child.kill('SIGTERM');
    const answer = await busy.waitFor('waited 700\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    expect(await child.exitCode()).toBe(0);
    expect(performance.now() - started).toBeLessThan(6_000); // and not the 300 s of the grace period
    expect(await idle.waitForClose()).toBe('end');
    await expect(RawClient.connect({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(child.out).toContain('runForever has returned\n');
    expect(child.err).toContain('"msg":"stopping, open connections may finish"');
  });

  test('SIGTERM: a connection that ignores it is cut at the deadline', async (context) => {
    const path = conf('short.yaml', 'grace_period_seconds: 0.1\ngraceful_shutdown_timeout_seconds: 0.1\n');
    const child = start(context, ['--stuck', '-c', path]);
    const { stuck } = await child.running();
    const client = await connect(context, stuck);
    await child.prints(/stuck\n/);
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(3);
    await client.waitForClose();
    expect(child.err).toContain('"services":["stuck (1 open connection)"],"msg":"cutting what has not finished"');
  });

  test('a second SIGTERM makes it fast', async (context) => {
    const child = start(context, ['--stuck']);
    const { stuck } = await child.running();
    await connect(context, stuck);
    await child.prints(/stuck\n/);
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(child.err).toContain('"msg":"stopping now"');
  });

  test('SIGINT cuts the request under way', async (context) => {
    const child = start(context, []);
    const { port } = await child.running();
    const client = await connect(context, port);
    await client.send('GET /busy?ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n');
    await child.prints(/request \/busy/);
    const started = performance.now();
    child.kill('SIGINT');
    expect(await child.exitCode()).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(client.text).toBe('');
  });

  test('the process is ended when something else keeps it alive', async (context) => {
    const child = start(context, ['--linger']);
    await child.running();
    child.kill('SIGINT');
    expect(await child.exitCode()).toBe(0);
    expect(child.out).toContain('runForever has returned\n');
    expect(child.err).toContain('"msg":"the process is still alive after the server has stopped; ending it"');
  });

  test('a server with background services only lives until it is told to stop', async (context) => {
    const child = start(context, ['--background']);
    await child.prints(/running/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
  });

  test('a service that cannot start: code 1, with service, address and remedy', async (context) => {
    const port = await occupied(context);
    const child = start(context, ['--listen', `127.0.0.1:${port}`]);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain(
      `service http cannot listen on 127.0.0.1:${port} (EADDRINUSE): something listens there already; stop it or choose another address`,
    );
    expect(child.out).not.toContain('running');
  });

  test('errors that nobody catches still end the process', async (context) => {
    const child = start(context, ['--crash']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain('nobody catches this');
  });
});

describe('--test', { timeout: 40_000 }, () => {
  test('passes with code 0 and serves nothing', async (context) => {
    const child = start(context, ['-t', '-c', conf('good.yaml', 'version: 1\nmine: 5\n')]);
    expect(await child.exitCode()).toBe(0);
    expect(child.err).toContain('"msg":"address can be used"');
    expect(child.err).toContain('"msg":"test passed"');
    expect(child.out).not.toContain('running');
  });

  test('passes when the address is in use', async (context) => {
    const port = await occupied(context);
    const child = start(context, ['-t', '--listen', `127.0.0.1:${port}`]);
    expect(await child.exitCode()).toBe(0);
    expect(child.err).toContain('"msg":"in use, as it is beside a live server"');
  });

  test('fails with code 1 when an address cannot be used', async (context) => {
    const child = start(context, ['-t', '--listen', '192.0.2.77:1']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain('cannot listen on 192.0.2.77:1 (EADDRNOTAVAIL)');
  });

  test('fails with code 1 for a bad configuration, and prints nothing but its problems', async (context) => {
    const path = conf('bad.yaml', 'grace_period_seconds: soon\nwork_stealing: true\n');
    const child = start(context, ['-t', '-c', path]);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toBe(`configuration file ${path} has 2 problems
  ${path}:1:23: grace_period_seconds: must be a number of seconds from 0 to 604800, got "soon"
  ${path}:2:1: work_stealing: not supported: a connection stays on the thread that has accepted it; remove it
`);
  });
});

describe('command line', { timeout: 40_000 }, () => {
  test('an unknown option ends with code 2', async (context) => {
    const child = start(context, ['--lisen', 'x']);
    expect(await child.exitCode()).toBe(2);
    expect(child.err).toBe('unknown option --lisen; did you mean --listen?\nTry --help for the list of options.\n');
  });

  test('--help and --version end with code 0', async (context) => {
    const [help, version] = [start(context, ['--help']), start(context, ['--version'])];
    expect(await help.exitCode()).toBe(0);
    expect(help.out).toMatch(/^Usage: server-process\.ts \[options\]\n/);
    expect(await version.exitCode()).toBe(0);
    expect(version.out).toMatch(/^cirque \d+\.\d+\.\d+/);
  });

  test('the environment sets the log level', async (context) => {
    const child = start(context, ['-t'], { CIRQUE_LOG: 'silent' });
    expect(await child.exitCode()).toBe(0);
    expect(child.err).toBe('');
  });
});
