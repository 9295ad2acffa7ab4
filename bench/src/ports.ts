/**
 * Free loopback ports, and waiting until a program answers on one.
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, logTail, type Running } from './processes.ts';

/** Ports that nobody listens on, all different. Taken from the kernel's ephemeral range. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    ports.push((server.address() as AddressInfo).port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function tryConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Waits until the program accepts connections. Throws with its last words when it ends or takes too long. */
export async function waitForPort(
  running: Running,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if (!isAlive(running)) throw new Error(`${running.name} ended at once; ${logTail(running)}`);
    if (await tryConnect(port)) return;
    await delay(50);
  }
  throw new Error(`${running.name} does not listen on port ${port} after ${timeoutMs} ms; ${logTail(running)}`);
}
