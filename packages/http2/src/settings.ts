/**
 * SETTINGS: the values, their rules and their bytes (RFC 9113 section 6.5, RFC 8441 section 3).
 */

/** Settings of one side. What was not said has the default of RFC 9113: `Infinity` for what is not limited. */
export interface Http2Settings {
  readonly headerTableSize: number;
  readonly enablePush: boolean;
  readonly maxConcurrentStreams: number;
  readonly initialWindowSize: number;
  readonly maxFrameSize: number;
  readonly maxHeaderListSize: number;
  readonly enableConnectProtocol: boolean;
}
