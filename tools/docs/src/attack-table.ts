/**
 * Attacks on HTTP/2 by name, and the options that bound them with the defaults they really have.
 */
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type ResolvedHttpServerOptions,
  resolveHttpServerOptions,
} from '@cirque/core';

type Option = keyof Http2ServerOptions | keyof ResolvedHttpServerOptions;

interface Row {
  readonly attack: string;
  readonly bounds: readonly Option[];
  readonly outcome: string;
}

const ROWS: readonly Row[] = [
  {
    attack: 'rapid reset (CVE-2023-44487): requests that are cancelled at once',
    bounds: ['maxResetsPerInterval', 'maxConcurrentStreams'],
    outcome: 'connection ends; a cancelled request counts as open until its work has ended',
  },
  {
    attack: 'MadeYouReset (CVE-2025-8671): requests that we are made to reset',
    bounds: ['maxResetsPerInterval'],
    outcome: 'connection ends',
  },
  {
    attack: 'CONTINUATION flood (CVE-2024-27316)',
    bounds: ['maxContinuationFrames', 'maxHeaderListBytes'],
    outcome: 'connection ends',
  },
  {
    attack: 'a head that is small on the wire and large in memory (HPACK bomb)',
    bounds: ['maxHeaderListBytes', 'maxHeaderFields', 'headerTableSize'],
    outcome: '431, the connection lives',
  },
  {
    attack: 'SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, unknown frames (CVE-2019-9512, 9515, 9518)',
    bounds: ['maxControlFramesPerInterval'],
    outcome: 'connection ends',
  },
  { attack: 'the same, and our answers are not read', bounds: ['maxPendingBytes'], outcome: 'connection ends' },
  {
    attack: 'windows that stay shut, a response byte by byte (CVE-2019-9511, 9517)',
    bounds: ['writeTimeoutMs', 'minSendRate'],
    outcome: 'stream is reset, or the connection cut',
  },
  {
    attack: 'uploads that nobody reads yet',
    bounds: ['initialWindowSize', 'connectionWindowSize'],
    outcome: 'client has to wait',
  },
  {
    attack: 'a preface, settings or a head that do not come to their end',
    bounds: ['headTimeoutMs'],
    outcome: 'connection ends',
  },
];

/** One row per attack: what bounds it, and what happens then. */
export function attackTable(): string {
  const values: Readonly<Record<string, unknown>> = { ...resolveHttpServerOptions(), ...DEFAULT_HTTP2_SERVER_OPTIONS };
  const bound = (name: Option): string => `\`${name}\` ${Number(values[name]).toLocaleString('en-US')}`;
  const rows = ROWS.map(
    ({ attack, bounds, outcome }) => `| ${attack} | ${bounds.map(bound).join(', ')} | ${outcome} |`,
  );
  return ['| Attack | Bounded by (default) | Then |', '|---|---|---|', ...rows].join('\n');
}
