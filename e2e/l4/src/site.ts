/**
 * What one test has running: a folder, gateways with their file, servers and programs behind them. All of it ends with the test.
 */
import type { SpawnOptions } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from './gateway-process.ts';
import { Program } from './program.ts';

/** For `vi.setConfig`: what is slow because the machine is busy is no failure. */
export const LIMITS = { testTimeout: 90_000, hookTimeout: 90_000 } as const;

export class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-l4-'));
  readonly #ends: (() => Promise<unknown> | unknown)[] = [];

  /** Does this at the end; what was begun last ends first. */
  atEnd(end: () => Promise<unknown> | unknown): void {
    this.#ends.push(end);
  }

  /** The path of a file in the folder, whether it exists or not. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file that only this user can read; answers its path. */
  file(name: string, content: string): string {
    const path = this.path(name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** The unix socket of the control address of {@link gateway}. */
  controlPath(name = 'cirque'): string {
    return this.path(`${name}-control.sock`);
  }

  /** Writes the file of a gateway, with paths and a control address of its own. Answers the path. */
  configure(yaml: string, name = 'cirque'): string {
    const own = { pid_file: 'pid', upgrade_sock: 'upgrade.sock' };
    const paths = Object.entries(own).map(([key, file]) => `${key}: ${this.path(`${name}-${file}`)}\n`);
    return this.file(`${name}.yaml`, `control: "unix:${this.controlPath(name)}"\n${paths.join('')}${yaml}`);
  }

  /** Starts `cirque run` with a file and waits until it is ready. */
  async gateway(yaml: string, name = 'cirque'): Promise<GatewayProcess> {
    const gateway = this.start(this.configure(yaml, name), [], name);
    await gateway.says(/gateway ready/);
    return gateway;
  }

  /** Starts `cirque run` and waits for nothing. */
  start(file: string, options: readonly string[] = [], name = 'cirque'): GatewayProcess {
    const gateway = new GatewayProcess(['run', '-c', file, ...options], this.controlPath(name));
    this.atEnd(() => gateway.end());
    return gateway;
  }

  /** Starts another program. It is killed at the end if it still runs. */
  program(path: string, args: readonly string[], options?: SpawnOptions): Program {
    const program = new Program(path, args, options);
    this.atEnd(() => program.end());
    return program;
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
