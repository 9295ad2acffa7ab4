import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Backend, TcpHealthCheck } from '../src/index.ts';
import { openBlackHole } from './black-hole.ts';
import { closeAll } from './cleanup.ts';
import { Endpoint, until } from './servers.ts';

let leaks: LeakCheck;
let folder: string;
beforeEach(() => {
  leaks = LeakCheck.start();
  folder = mkdtempSync(join(tmpdir(), 'cirque-lb-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
  await leaks.assertClean();
});

describe('TcpHealthCheck', () => {
  it('TcpHealthCheck passes where somebody listens, and closes its connection', async () => {
    const endpoint = await Endpoint.tcp().start();
    await new TcpHealthCheck().check(Backend.parse(endpoint.address));
    await until(() => endpoint.connections === 1 && endpoint.open === 0);
  });

  it('TcpHealthCheck passes on a unix-domain socket, and fails where there is none', async () => {
    const endpoint = await Endpoint.tcp(join(folder, 'a.sock')).start();
    await new TcpHealthCheck().check(Backend.parse(endpoint.address));
    await endpoint.stop();
    const missing = Backend.parse(`unix:${join(folder, 'b.sock')}`);
    await expect(new TcpHealthCheck().check(missing)).rejects.toMatchObject({ source: 'Upstream' });
  });

  it('TcpHealthCheck resolves names', async () => {
    const endpoint = await Endpoint.tcp().start();
    await new TcpHealthCheck().check(Backend.parse(`localhost:${endpoint.port}`));
  });

  it('TcpHealthCheck fails with the reason where nobody listens', async () => {
    const endpoint = await Endpoint.tcp().start();
    await endpoint.stop();
    const failure = new TcpHealthCheck().check(Backend.parse(endpoint.address));
    await expect(failure).rejects.toMatchObject({ type: 'ConnectRefused', context: endpoint.address });
  });

  it.runIf(process.platform === 'linux')(
    'TcpHealthCheck gives up after connectionTimeoutMs where nobody answers',
    async () => {
      const hole = await openBlackHole();
      const clock = new FakeClock();
      const wheel = new TimerWheel({ clock });
      const check = new TcpHealthCheck({ connectionTimeoutMs: 400, time: { clock, wheel } });
      const failure = check.check(Backend.parse(hole));
      const state = { settled: false };
      failure.catch(() => undefined).finally(() => (state.settled = true));
      clock.advance(380);
      wheel.advance();
      await new Promise((resolve) => setImmediate(resolve));
      expect(state.settled).toBe(false);
      clock.advance(40);
      wheel.advance();
      await expect(failure).rejects.toMatchObject({ type: 'ConnectTimedout', context: `${hole} after 400 ms` });
      expect(wheel.size).toBe(0);
    },
  );

  it.runIf(process.platform === 'linux')('TcpHealthCheck ends at once with the signal', async () => {
    const hole = await openBlackHole();
    const controller = new AbortController();
    const failure = new TcpHealthCheck().check(Backend.parse(hole), controller.signal);
    controller.abort(new Error('shutdown'));
    await expect(failure).rejects.toThrow('shutdown');
  });
});
