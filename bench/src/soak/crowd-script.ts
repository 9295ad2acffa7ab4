/**
 * What a crowd of clients does, as plain data: it is passed to the program in crowd.ts as JSON. And what it tells.
 */

/** Every member of a crowd does the same. */
export interface CrowdScript {
  readonly port: number;
  readonly count: number;
  /** Connections that are begun each second. */
  readonly perSecond: number;
  /** Local address of the connections. Default: the system's choice. */
  readonly from?: string;
  /** Default false. */
  readonly tls?: boolean;
  /** Bytes (latin1) that are sent at once. */
  readonly send: string;
  /** Text that is sent again and again after that, until the other side answers. Default: nothing. */
  readonly drip?: { readonly text: string; readonly everyMs: number };
  /** How the answer is read: all of it as it comes (default), nothing of it, or so many bytes (64 KB at most) at a time. */
  readonly read?: 'all' | 'none' | { readonly bytes: number; readonly everyMs: number };
}

/** What has become of the members so far. Times are milliseconds after a member's connection was there. */
export interface CrowdReport {
  readonly begun: number;
  readonly connected: number;
  /** Connections that neither side has closed. */
  readonly open: number;
  /** Members that were answered, by status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Connections that the other side has closed before it has answered, and those of them that it has reset. */
  readonly closedUnanswered: number;
  readonly reset: number;
  /** Connections that could not be established. */
  readonly refused: number;
  /** Members that have neither an answer nor a closed connection. */
  readonly waiting: number;
  /** First and last time of an answer; undefined without one. */
  readonly answered: Range | undefined;
  /** First and last time at which the other side has closed. */
  readonly closed: Range | undefined;
  readonly receivedBytes: number;
}

export interface Range {
  readonly firstMs: number;
  readonly lastMs: number;
}
