/**
 * What options of TCP cost: nothing where none is set. Prints microseconds per call.
 *
 * `node --conditions=@cirque/source bench/tcp-options.ts`, with `CIRQUE_FFI=koffi` for the other library.
 */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { loadSys } from '@cirque/sys';
import { planTcpOptions } from '@cirque/transport';
import { connectTcp } from '../src/connect-tcp.ts';
import { HttpPeer } from '../src/peer.ts';
import { DEFAULT_PEER_OPTIONS } from '../src/peer-options.ts';
import { tcpPlanOf } from '../src/tcp-peer-options.ts';

const ROUNDS = 2_000;

async function main(): Promise<void> {
  console.log(`Node ${process.version}, ${loadSys()?.backend ?? 'no native calls'}`);
  perCall('tcpPlanOf(no options)', 5_000_000, () => tcpPlanOf(DEFAULT_PEER_OPTIONS));
  perCall('new HttpPeer(address, { readTimeoutMs })', 200_000, () => new HttpPeer(ADDRESS, { readTimeoutMs: 5_000 }));
  perCall(
    'new HttpPeer(address, { tcpUserTimeoutMs })',
    200_000,
    () => new HttpPeer(ADDRESS, { tcpUserTimeoutMs: 5_000 }),
  );
  const server = await listen();
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  const info = await connectTcp({ address, timeoutMs: 1_000 });
  perCall('digest.tcpInfo()', 20_000, () => info.digest.tcpInfo());
  info.destroy();
  const options = planTcpOptions({ userTimeoutMs: 30_000 }, {});
  for (let repeat = 0; repeat < 3; repeat += 1) {
    await connections('connect', () => connectTcp({ address, timeoutMs: 1_000 }));
    await connections('connect with tcpUserTimeoutMs', () => connectTcp({ address, timeoutMs: 1_000, options }));
    await connections('connect with bindTo', () =>
      connectTcp({ address, timeoutMs: 1_000, localAddress: '127.0.0.2' }),
    );
  }
  server.close();
}

const ADDRESS = { host: '127.0.0.1', port: 80 };

function perCall(what: string, times: number, call: () => unknown): void {
  for (let i = 0; i < times / 10; i += 1) call();
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i += 1) call();
  console.log(`${what}: ${(Number(process.hrtime.bigint() - start) / 1_000 / times).toFixed(3)}`);
}

/** One after the other, closed with a reset so that no port waits. */
async function connections(what: string, open: () => ReturnType<typeof connectTcp>): Promise<void> {
  const start = process.hrtime.bigint();
  for (let i = 0; i < ROUNDS; i += 1) (await open()).reset();
  console.log(`${what}: ${(Number(process.hrtime.bigint() - start) / 1_000 / ROUNDS).toFixed(1)}`);
}

function listen(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

await main();
