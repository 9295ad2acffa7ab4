import type * as Net from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Backend, TcpHealthCheck } from '../src/index.ts';
import { Endpoint } from './servers.ts';

// The kernel gives our end the very port it connects to once in some ten thousand times; here it always does.
vi.mock('node:net', async (importOriginal) => {
  const net = await importOriginal<typeof Net>();
  const connect = (options: Net.TcpNetConnectOpts): Net.Socket => net.connect({ ...options, localPort: options.port });
  return { ...net, connect };
});

describe('TcpHealthCheck', () => {
  it.runIf(process.platform === 'linux')(
    'TcpHealthCheck does not take a connection to itself for a backend',
    async () => {
      const endpoint = await Endpoint.tcp().start();
      await endpoint.stop();
      const failure = new TcpHealthCheck().check(Backend.parse(endpoint.address));
      await expect(failure).rejects.toMatchObject({
        type: 'ConnectRefused',
        context: expect.stringContaining('itself'),
      });
    },
  );
});
