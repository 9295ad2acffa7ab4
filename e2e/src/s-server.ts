/**
 * `openssl s_server -www` as an origin: it answers every request with what it knows of the TLS connection.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const START_TIMEOUT_MS = 5_000;

export class SServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(path: string, args: readonly string[]): Promise<SServer> {
    const all = ['s_server', '-accept', '127.0.0.1:0', '-www', ...args];
    const child = spawn(path, all, { stdio: ['pipe', 'pipe', 'pipe'] });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = /^ACCEPT .*:(\d+)$/m.exec(output);
      if (match) resolve(Number(match[1]));
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const failed = (): void => reject(new Error(`openssl s_server did not start: ${output}`));
    child.once('error', failed);
    child.once('exit', failed);
    const timer = setTimeout(failed, START_TIMEOUT_MS);
    try {
      return new SServer(child, await promise);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
