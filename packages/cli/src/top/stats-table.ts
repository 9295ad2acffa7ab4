/**
 * Statistics as tables of text: listeners, and servers by upstream. Rates come from two readings.
 */
import type { ServerStats, StatsTree } from '@cirque/core';

/** One reading. */
export interface Reading {
  readonly stats: ServerStats;
  /** Monotonic, in milliseconds. */
  readonly at: number;
}

type Row = readonly string[];

/** The whole page; without a reading before, rates are averages since the start. */
export function statsPage(now: Reading, before: Reading | undefined): string {
  return [heading(now.stats), '', ...listenerTable(now, before), '', ...serverTable(now, before), ''].join('\n');
}

function heading({ phase, pid, process: { rss }, ready, uptimeMs, workers }: ServerStats): string {
  const memory = typeof rss === 'number' ? `, ${(rss / 1_048_576).toFixed(0)} MB` : '';
  const threads = workers.length > 0 ? `, ${workers.length} threads` : '';
  return `cirque ${pid} ${ready ? 'ready' : phase}, up ${duration(uptimeMs)}${threads}${memory}`;
}

function listenerTable(now: Reading, before: Reading | undefined): string[] {
  const listeners = Object.entries(treeAt(now.stats.services, ['gateway'])).filter(([, value]) => isTree(value));
  const rows = listeners.map(([name]) => {
    // Each kind of listener counts in words of its own.
    const first = (...names: readonly string[]): readonly string[] => {
      const paths = names.map((one) => ['gateway', name, ...one.split('.')]);
      return paths.find((path) => numberAt(now.stats.services, path) !== undefined) ?? [];
    };
    const rate = (...names: readonly string[]): string => perSecond(now, before, first(...names));
    const open = numberAt(now.stats.services, first('connections.open', 'sessions.open'));
    return [
      name,
      shown(open),
      rate('connections.accepted', 'sessions.opened'),
      rate('requests'),
      rate('requestBytes', 'stream.bytesFromClient', 'bytes.fromClient'),
      rate('responseBytes', 'stream.bytesToClient', 'bytes.toClient'),
    ];
  });
  return table(['LISTENER', 'OPEN', 'NEW/s', 'REQ/s', 'IN B/s', 'OUT B/s'], rows);
}

function serverTable(now: Reading, before: Reading | undefined): string[] {
  const upstreams = Object.entries(treeAt(now.stats.services, ['upstreams'])).filter(([, value]) => isTree(value));
  const rows = upstreams.flatMap(([upstream]) => {
    const servers = Object.entries(treeAt(now.stats.services, ['upstreams', upstream, 'byAddress']));
    return servers.map(([address, server]) => serverRow(upstream, address, isTree(server) ? server : {}, now, before));
  });
  return table(['UPSTREAM', 'SERVER', 'STATE', 'IN USE', 'PICKS', 'PICKS/s', 'FAILED'], rows);
}

function serverRow(
  upstream: string,
  address: string,
  server: StatsTree,
  now: Reading,
  before: Reading | undefined,
): Row {
  const picks = perSecond(now, before, ['upstreams', upstream, 'byAddress', address, 'picks']);
  const failures = numberAt(server, ['failures']) ?? numberAt(server, ['checkFailures']);
  return [
    upstream,
    address,
    stateOf(server),
    shown(numberAt(server, ['inFlight'])),
    shown(numberAt(server, ['picks'])),
    picks,
    shown(failures),
  ];
}

function stateOf(server: StatsTree): string {
  const { ejected, healthy, state } = server;
  if (state !== undefined && state !== 'active') return String(state);
  if (healthy === 0) return 'down';
  if (typeof ejected === 'number' && ejected > 0) return 'ejected';
  return 'up';
}

/** Columns as wide as their widest cell; the first ones to the left, numbers to the right. */
function table(head: Row, rows: readonly Row[]): string[] {
  const all = [head, ...rows];
  const isNumeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^(?:[\d.]+[kMG]?|-)$/.test(row[column] ?? '')),
  );
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function perSecond(now: Reading, before: Reading | undefined, path: readonly string[]): string {
  const count = numberAt(now.stats.services, path);
  if (count === undefined) return '-';
  const earlier = before === undefined ? 0 : (numberAt(before.stats.services, path) ?? 0);
  const elapsedMs = before === undefined ? now.stats.uptimeMs : now.at - before.at;
  return scaled((Math.max(0, count - earlier) * 1_000) / Math.max(1, elapsedMs));
}

function scaled(value: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const) {
    if (value >= size) return `${(value / (unit === 'k' ? 1e3 : size)).toFixed(1)}${unit}`;
  }
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first < 0 ? 3 : first, (first < 0 ? 3 : first) + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

function treeAt(tree: StatsTree | Readonly<Record<string, StatsTree>>, path: readonly string[]): StatsTree {
  let found: unknown = tree;
  for (const name of path) found = isTree(found) ? found[name] : undefined;
  return isTree(found) ? found : {};
}

function numberAt(tree: StatsTree | Readonly<Record<string, StatsTree>>, path: readonly string[]): number | undefined {
  const value = treeAt(tree, path.slice(0, -1))[path.at(-1) ?? ''];
  return typeof value === 'number' ? value : undefined;
}

function isTree(value: unknown): value is StatsTree {
  return typeof value === 'object' && value !== null;
}
