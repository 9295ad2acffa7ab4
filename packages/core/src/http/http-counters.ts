/**
 * What an HTTP service on one thread has seen: plain numbers, raised where it happens.
 */

/** See the file's head. */
export class HttpCounters {
  /** Connections that spoke HTTP/1. */
  h1Connections = 0;
  /** Connections that spoke HTTP/2. */
  h2Connections = 0;
  /** Requests whose head was complete and right, in both versions. */
  requests = 0;

  stats(): Readonly<Record<string, number>> {
    const { h1Connections, h2Connections, requests } = this;
    return { h1Connections, h2Connections, requests };
  }
}
