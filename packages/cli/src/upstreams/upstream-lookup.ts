/**
 * How routes find the upstreams of their configuration: by name.
 */
import type { UpstreamGroup } from './upstream-group.ts';

/** Throws for a name that the checked file cannot hold. */
export type UpstreamLookup = (name: string) => UpstreamGroup;
