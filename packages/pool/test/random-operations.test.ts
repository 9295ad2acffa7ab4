/**
 * A thousand random requests against an origin that misbehaves at random, cancelled and broken at random: nothing may be
 * left behind, and no request may get the answer of another.
 */
import type { OriginConnection } from '@cirque/testing';
import { FakeClock, LeakCheck, SeededRandom, TestOrigin } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ConnectorStats, HttpConnector, HttpPeer, type PeerCounters, type PeerOptions } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchangeOn } from './exchange.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

/** One counter over all peers. */
function sum(peers: ConnectorStats['peers'], counter: keyof PeerCounters): number {
  return Object.values(peers).reduce((all, row) => all + row[counter], 0);
}

/** Answers each request with its own id, or does what it must not. */
async function misbehave(connection: OriginConnection, random: SeededRandom): Promise<void> {
  for (;;) {
    const head = await connection.expect('\r\n\r\n', 60_000);
    const id = /^X-Id: (\d+)/m.exec(head)?.[1] as string;
    const length = Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (length > 0) await connection.expect('u'.repeat(length));
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${id.length}\r\n\r\n${id}`;
    const dice = random.next();
    if (dice < 0.6) await connection.send(answer);
    else if (dice < 0.65) await connection.send(`HTTP/1.1 103 Early Hints\r\n\r\n${answer}`);
    else if (dice < 0.7)
      await connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(id)}0\r\n\r\n`);
    else if (dice < 0.75) await connection.send(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    else if (dice < 0.8) {
      await connection.send(answer);
      connection.end();
    } else if (dice < 0.84) {
      await connection.send(answer);
      connection.reset();
      return;
    } else if (dice < 0.88) {
      await connection.send(answer.slice(0, random.int(0, answer.length - 1)));
      connection.close();
      return;
    } else if (dice < 0.92) {
      await connection.send('HTTP/9.9 garbage\r\n\r\n');
    } else if (dice < 0.96) {
      await connection.send(answer.replace('\r\n', '\r\nConnection: close\r\n'));
    }
    // else: no answer at all; the client gives up.
  }
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const PEERS: PeerOptions[] = [
  {},
  { groupKey: 'other' },
  { maxConnections: 3, maxPendingRequests: 4, groupKey: 'capped', totalConnectionTimeoutMs: 2_000 },
  { idleTimeoutMs: 0 },
  { idleTimeoutMs: 1_000, readTimeoutMs: 500 },
];

test.each([1, 2, 3])(
  'HttpConnector: 1,000 random operations leave nothing behind, seed %d',
  { timeout: 60_000 },
  async (seed) => {
    const random = new SeededRandom(seed);
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    clock.onAdvance(() => wheel.advance());
    const origin = await TestOrigin.listen((connection) => misbehave(connection, random).catch(() => undefined));
    closeLater(() => origin.close());
    const connector = new HttpConnector({ poolSize: 8, wheel });
    const peers = PEERS.map((options) => new HttpPeer(origin.address, options));
    const refusing = new HttpPeer('127.0.0.1:1');
    const outcomes = { answered: 0, failed: 0 };
    const running = new Set<Promise<void>>();

    async function request(id: number): Promise<void> {
      const controller = new AbortController();
      const peer = random.chance(0.03) ? refusing : random.pick(peers);
      const pending = connector.getSession(peer, { careful: random.chance(0.3), signal: controller.signal });
      if (random.chance(0.05)) controller.abort();
      const session = await pending;
      const dice = random.next();
      if (dice < 0.05) {
        session.release();
        return;
      }
      const body = random.chance(0.3) ? 'u'.repeat(random.int(1, 20_000)) : '';
      const method = body === '' ? 'GET' : 'POST';
      const answer = exchangeOn(session, { method, body, fields: { 'X-Id': String(id) } });
      if (dice < 0.1) {
        answer.catch(() => undefined);
        session.abort();
        return;
      }
      expect((await answer).body).toBe(String(id));
      outcomes.answered += 1;
    }

    for (let id = 0; id < 1_000; id += 1) {
      const run = request(id)
        .catch((error: unknown) => {
          if ((error as Error).name !== 'CirqueError') throw error;
          outcomes.failed += 1;
        })
        .finally(() => running.delete(run));
      running.add(run);
      if (running.size > 20 || random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
      if (random.chance(0.02)) clock.advance(random.int(1, 2_000));
      const { stats } = connector;
      expect(stats.idle).toBeLessThanOrEqual(8);
      expect(stats.active).toBeGreaterThanOrEqual(0);
      expect(sum(stats.peers, 'active')).toBe(stats.active);
    }
    // Requests without an answer end at their read deadline.
    while (running.size > 0) {
      for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(5_000);
    }
    connector.close();
    expect(outcomes.answered).toBeGreaterThan(300);
    expect(outcomes.failed).toBeGreaterThan(100);
    const { stats } = connector;
    expect(stats).toMatchObject({ active: 0, idle: 0, waiting: 0 });
    expect(sum(stats.peers, 'connects')).toBe(stats.connects);
    expect(sum(stats.peers, 'connectFailures')).toBe(stats.connectFailures);
    await vi.waitFor(() => expect(sum(connector.stats.peers, 'connections')).toBe(0));
    expect(wheel.size).toBe(0);
  },
);
