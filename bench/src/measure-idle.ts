/**
 * Memory per idle keep-alive client connection: resident memory before, then with all connections open after one
 * request each. One row at a time, each freshly started, so the figure includes all growth that the requests caused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { processTree, readResidentBytes } from './cpu-time.ts';
import { logTail, type Running } from './processes.ts';
import type { IdleFigure } from './results.ts';
import { IDLE_CONNECTIONS, type Shape } from './shapes.ts';
import type { Stage, Target } from './stage.ts';

const CLIENTS = fileURLToPath(new URL('./idle-clients.ts', import.meta.url));

/** Time for the proxy to come to rest before its memory is read. */
const REST_MS = 3000;
const OPEN_TIMEOUT_MS = 60_000;

/** Connections that fit the descriptor limit: a proxy may need two descriptors for each. */
export function idleConnections(maxDescriptors: number): number {
  return Math.min(IDLE_CONNECTIONS, Math.floor((maxDescriptors - 1000) / 2));
}

/** Waits for a line `word N` of the clients; answers N. */
function waitForCount(clients: Running, word: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
    const give = (): void => reject(new Error(`idle connections: no "${word}"; ${logTail(clients)}`));
    stop.addEventListener('abort', give, { once: true });
    void clients.ended.then(give);
    clients.child.stdout?.on('data', (chunk: Buffer) => {
      const match = new RegExp(`^${word} (\\d+)$`, 'm').exec(chunk.toString());
      if (match?.[1] === undefined) return;
      stop.removeEventListener('abort', give);
      resolve(Number(match[1]));
    });
  });
}

/** Measures one freshly started row. */
export async function measureIdle(stage: Stage, target: Target, shape: Shape): Promise<IdleFigure> {
  const connections = idleConnections(stage.maxDescriptors);
  await delay(REST_MS, undefined, { signal: stage.signal });
  const residentBytesBefore = readResidentBytes(processTree(target.running.pid));
  const args = [CLIENTS, String(target.port), String(connections), shape.path];
  const core = stage.cores.load;
  const clients = stage.processes.start({ name: 'idle-clients', file: process.execPath, args, core, stdout: 'pipe' });
  try {
    await waitForCount(clients, 'open', stage.signal);
    await delay(REST_MS, undefined, { signal: stage.signal });
    const residentBytesAfter = readResidentBytes(processTree(target.running.pid));
    const count = waitForCount(clients, 'closed', stage.signal);
    clients.child.stdin?.write('count\n');
    const closed = await count;
    if (closed > 0) throw new Error(`${closed} of ${connections} idle connections were closed by the proxy`);
    const bytesPerConnection = (residentBytesAfter - residentBytesBefore) / connections;
    return { kind: 'idle', connections, residentBytesBefore, residentBytesAfter, bytesPerConnection };
  } finally {
    await stage.processes.stop(clients);
  }
}
