/**
 * The rows of the fault matrix by subject. Which of them a pair of versions has, they say themselves.
 */
import type { Fault } from '../src/fault.ts';
import { clientDeaths, clientGoaways, deathsWhileConnecting, earlyDeaths, halfClosed } from './client-deaths.ts';
import { silentClients, slowReaders, slowUploads } from './client-stalls.ts';
import { clientHandshakes, upstreamHandshakes } from './handshakes.ts';
import { refusals, staleConnections, upstreamDeaths } from './upstream-deaths.ts';
import { connectStalls, idleUpstreams, upstreamStalls } from './upstream-stalls.ts';
import { goaways, streamResets } from './upstream-streams.ts';

export const FAULTS: Readonly<Record<string, readonly Fault[]>> = {
  'the upstream dies': upstreamDeaths,
  'a pooled connection dies': staleConnections,
  'no upstream': refusals,
  'the handshake with the upstream': upstreamHandshakes,
  'the handshake with the client': clientHandshakes,
  'the upstream ends the stream': streamResets,
  'the upstream says goodbye': goaways,
  'the upstream stops': [...connectStalls, ...upstreamStalls, ...idleUpstreams],
  'the client leaves': [...clientDeaths, ...deathsWhileConnecting, ...clientGoaways],
  'the client leaves without a request': earlyDeaths,
  'the client ends its side only': halfClosed,
  'the client stops': slowUploads,
  'the client does not read': slowReaders,
  'the client asks nothing': silentClients,
};
