/**
 * Where the upstreams of layer 4 listen, as `upstream.ts` prints it.
 */
export interface UpstreamPorts {
  /** TCP: everything comes back. */
  readonly echo: number;
  /** TCP: the first bytes are answered with the name, in the order of the names. */
  readonly named: readonly number[];
  /** UDP: everything comes back. */
  readonly datagrams: number;
}
