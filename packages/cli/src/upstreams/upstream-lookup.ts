/**
 * How routes find their upstreams: by name, each time anew, as a reload may have put another group there.
 */
import type { UpstreamGroup } from './upstream-group.ts';

/** Throws for a name that the checked file cannot hold. */
export type UpstreamLookup = (name: string) => UpstreamGroup;
