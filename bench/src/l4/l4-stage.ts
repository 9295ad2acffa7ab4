/**
 * One run on layer 4: the stage of the benchmark with the upstreams of `load/upstream.ts`, and the proxies between.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { processTree } from '../cpu-time.ts';
import type { Loaded } from '../load.ts';
import { requireCores } from '../machine.ts';
import { freePorts, waitForPort } from '../ports.ts';
import { isAlive, logTail, type Running } from '../processes.ts';
import { Stage } from '../stage.ts';
import type { L4Row } from './l4-rows.ts';
import { type L4Shape, SERVER_NAMES } from './l4-shapes.ts';
import { Asker } from './load/datagrams.ts';
import type { UpstreamPorts } from './load/upstream-ports.ts';

/** A proxy that serves. */
export interface L4Target extends Loaded {
  readonly row: L4Row;
  readonly running: Running;
}

const UPSTREAM = fileURLToPath(new URL('load/upstream.ts', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const PROBE_MS = 100;

/** The size of the answers to greetings. */
export const ANSWER_BYTES = 100;

export class L4Stage {
  readonly stage: Stage;
  readonly #ports: UpstreamPorts;
  #targets = 0;

  private constructor(stage: Stage, ports: UpstreamPorts) {
    this.stage = stage;
    this.#ports = ports;
  }

  /** Whoever opens it closes it, in a `finally`. */
  static async open(signal: AbortSignal): Promise<L4Stage> {
    const stage = await Stage.open(requireCores(), signal);
    try {
      return new L4Stage(stage, await startUpstreams(stage));
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** Starts a proxy and waits until it serves. `nodeFlags` come before the file, for rows that Node runs. */
  async start(row: L4Row, shape: L4Shape, nodeFlags: readonly string[] = []): Promise<L4Target> {
    const { stage } = this;
    const isUdp = shape.duty === 'udp' || shape.duty === 'udp-one-answer';
    const [listenPort = 0] = isUdp ? [await freeUdpPort()] : await freePorts(1);
    this.#targets += 1;
    const { file, args } = row.command({
      duty: shape.duty,
      listenPort,
      ...this.#upstreamsOf(shape),
      directory: join(stage.directory, `l4-${this.#targets}`),
      maxDescriptors: stage.maxDescriptors,
    });
    const core = stage.cores.proxy;
    const running = stage.processes.start({ name: row.name, file, args: [...nodeFlags, ...args], core });
    try {
      if (isUdp) await waitForAnswer(running, listenPort, stage.signal);
      else await waitForPort(running, listenPort, START_TIMEOUT_MS, stage.signal);
      return { row, port: listenPort, running, pids: processTree(running.pid) };
    } catch (error) {
      await stage.processes.stop(running);
      throw error;
    }
  }

  async stop(target: L4Target): Promise<void> {
    await this.stage.processes.stop(target.running);
  }

  async close(): Promise<void> {
    await this.stage.close();
  }

  #upstreamsOf({ duty, load }: L4Shape): { upstreamPort: number; secondPort: number } {
    const { echo, named, datagrams } = this.#ports;
    const [first = 0, secondPort = 0] = named;
    if (duty === 'sni') return { upstreamPort: first, secondPort };
    if (duty !== 'tcp') return { upstreamPort: datagrams, secondPort };
    return { upstreamPort: load.kind === 'http' ? this.stage.originPort : echo, secondPort };
  }
}

async function startUpstreams(stage: Stage): Promise<UpstreamPorts> {
  const args = [UPSTREAM, String(ANSWER_BYTES), ...SERVER_NAMES];
  const core = stage.cores.load;
  const running = stage.processes.start({ name: 'upstreams', file: process.execPath, args, core, stdout: 'pipe' });
  const { stdout } = running.child;
  if (stdout === null) throw new Error('the upstreams have no output');
  const lines = createInterface({ input: stdout });
  const signal = AbortSignal.any([stage.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  try {
    const [line] = (await once(lines, 'line', { signal })) as [string];
    return JSON.parse(line) as UpstreamPorts;
  } catch (cause) {
    throw new Error(`the upstreams do not start; ${logTail(running)}`, { cause });
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Waits until a datagram comes back. */
async function waitForAnswer(running: Running, port: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if (!isAlive(running)) throw new Error(`${running.name} ended at once; ${logTail(running)}`);
    const asker = new Asker(port);
    const isThere = await asker.ask(Buffer.from('are you there?'), PROBE_MS);
    asker.close();
    if (isThere) return;
  }
  throw new Error(
    `${running.name} passes no datagram on port ${port} after ${START_TIMEOUT_MS} ms; ${logTail(running)}`,
  );
}
