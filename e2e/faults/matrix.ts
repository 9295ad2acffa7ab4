/**
 * The rows of the fault matrix by subject. Which of them a pair of versions has, they say themselves.
 */
import type { Fault } from '../src/fault.ts';
import { refusals, staleConnections, upstreamDeaths } from './upstream-deaths.ts';

export const FAULTS: Readonly<Record<string, readonly Fault[]>> = {
  'the upstream dies': upstreamDeaths,
  'a pooled connection dies': staleConnections,
  'no upstream': refusals,
};
