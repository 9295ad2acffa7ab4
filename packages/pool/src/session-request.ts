/**
 * How a session is asked for.
 */

/** How one session is wanted. */
export interface SessionRequest {
  /**
   * The request must not be sent twice: an idle connection is given one turn of the event loop to show that its peer
   * has closed it. The README has the measurement.
   */
  readonly careful?: boolean;
  readonly signal?: AbortSignal;
  /** The request wants a tunnel (Upgrade, CONNECT): only an HTTP/1 connection will do. */
  readonly http1Only?: boolean;
}
