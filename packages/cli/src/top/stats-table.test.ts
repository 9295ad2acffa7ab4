import type { ServerStats } from '@cirque/core';
import { describe, expect, it } from 'vitest';
import { type Reading, statsPage } from './stats-table.ts';

function reading(at: number, open: number, accepted: number, picks: number, server: object = {}): Reading {
  const stats = {
    pid: 42,
    phase: 'Running',
    ready: true,
    uptimeMs: 90_061_000,
    process: { rss: 104_857_600 },
    workers: [],
    services: {
      upstreams: {
        app: {
          backends: 1,
          byAddress: { '127.0.0.1:9000': { picks, healthy: 1, state: 'active', inFlight: 3, failures: 2, ...server } },
        },
      },
      gateway: { '0.0.0.0:8080': { connections: { open, accepted } } },
    },
  };
  return { at, stats: stats as unknown as ServerStats };
}

describe('statsPage', () => {
  it('statsPage shows the server, its listeners and the servers of its upstreams', () => {
    const lines = statsPage(reading(0, 7, 901, 4), undefined).split('\n');
    expect(lines[0]).toBe('cirque 42 ready, up 1d 1h, 100 MB');
    expect(lines[2]).toMatch(/^LISTENER\s+OPEN\s+NEW\/s/);
    expect(lines[3]).toMatch(/^0\.0\.0\.0:8080\s+7\s+0\.0\s/);
    expect(lines[5]).toMatch(/^UPSTREAM\s+SERVER\s+STATE\s+IN USE\s+PICKS\s+PICKS\/s\s+FAILED$/);
    expect(lines[6]).toMatch(/^app\s+127\.0\.0\.1:9000\s+up\s+3\s+4\s+0\.0\s+2$/);
  });

  it('statsPage takes rates from the time between two readings', () => {
    const page = statsPage(reading(2_000, 7, 1_301, 30_004), reading(1_000, 7, 1_001, 4));
    expect(page).toMatch(/0\.0\.0\.0:8080\s+7\s+300\s/);
    expect(page).toMatch(/up\s+3\s+30004\s+30\.0k\s/);
  });

  it.each([
    [
      'http',
      { connections: { open: 1, accepted: 0 }, requests: 90_061, requestBytes: 0, responseBytes: 180_122 },
      /1\s+0\s+1\s+0\s+2$/,
    ],
    [
      'tcp',
      { connections: { open: 1, accepted: 0 }, stream: { bytesFromClient: 90_061, bytesToClient: 0 } },
      /1\s+0\s+-\s+1\s+0$/,
    ],
    ['udp', { sessions: { open: 4, opened: 90_061 }, bytes: { fromClient: 0, toClient: 0 } }, /4\s+1\s+-\s+0\s+0$/],
  ])('statsPage reads what a listener of %s counts', (_kind, counted, row) => {
    const { stats } = reading(0, 0, 0, 0);
    const page = statsPage({ at: 0, stats: { ...stats, services: { gateway: { one: counted } } } }, undefined);
    expect(page.split('\n')[3]).toMatch(row);
  });

  it('statsPage does not show rates below zero when counters begin anew', () => {
    expect(statsPage(reading(2_000, 1, 5, 1), reading(1_000, 1, 900, 7))).toMatch(/0\.0\.0\.0:8080\s+1\s+0\s/);
  });

  it.each([
    [{ state: 'draining' }, 'draining'],
    [{ state: 'maintenance', healthy: 0 }, 'maintenance'],
    [{ healthy: 0 }, 'down'],
    [{ ejected: 1 }, 'ejected'],
  ])('statsPage names the state of a server: %j', (server, word) => {
    expect(statsPage(reading(0, 0, 0, 0, server), undefined)).toMatch(new RegExp(`127\\.0\\.0\\.1:9000\\s+${word}\\s`));
  });

  it('statsPage has heads and nothing else where there is nothing', () => {
    const { stats } = reading(0, 0, 0, 0);
    const page = statsPage({ at: 0, stats: { ...stats, services: {} } }, undefined);
    expect(page.split('\n').filter((line) => line !== '')).toHaveLength(3);
  });
});
