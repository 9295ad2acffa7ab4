import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ServerStats } from '../src/index.ts';
import { ChildServer } from './child-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'cirque-stats-'));
let child: ChildServer | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('Server.stats is the same in every thread: that of the whole server', { timeout: 40_000 }, async () => {
  const conf = join(folder, 'conf.yaml');
  writeFileSync(conf, `threads: 2\nupgrade_sock: ${join(folder, 'upgrade.sock')}\n`);
  child = new ChildServer('stats-process.ts', ['-c', conf]);
  const [, address] = await child.prints(/listens (.*)\n/);
  const threads = new Set<number>();
  for (let asked = 1; threads.size < 2; asked += 1) {
    const response = await fetch(`http://${address}/`, { headers: { connection: 'close' } });
    const { threadId, stats } = (await response.json()) as { threadId: number; stats: ServerStats };
    threads.add(threadId);
    expect(stats).toMatchObject({ phase: 'Running', ready: true, services: { site: { http: { requests: asked } } } });
    expect(stats.workers).toHaveLength(2);
  }
  expect(threads).not.toContain(0);
});
