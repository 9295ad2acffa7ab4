/**
 * The PROXY protocol on a listener: whose headers are read, for how long they are waited for, and what follows.
 */
import { CirqueError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { type ProxyHeader, parseProxyHeader, type Stream } from '@cirque/transport';
import { type FirstBytes, readFirst } from './first-bytes.ts';
import { TrustedSources, type TrustedSourcesLike } from './trusted-sources.ts';

/** PROXY protocol options of an endpoint. */
export interface ProxyProtocolOptions {
  /**
   * Whether connections begin with a PROXY header, of version 1 or 2. `required`: those without one are closed, and so
   * are those from elsewhere than the trusted sources. `optional`: trusted sources may send one, and for all others it
   * is data. Default `off`.
   */
  readonly proxyProtocol?: 'off' | 'optional' | 'required';
  /** Whose headers are believed: networks such as `['10.0.0.0/8', '::1']`, or `any`. There is no default. */
  readonly trustedSources?: TrustedSourcesLike;
  /** How long the header may take, in milliseconds. Default 10,000. */
  readonly proxyHeaderTimeoutMs?: number;
}

/** {@link ProxyProtocolOptions} of an endpoint that reads headers. */
export interface ProxyProtocolPolicy {
  readonly required: boolean;
  readonly trusted: TrustedSources;
  readonly timeoutMs: number;
}

/** The names of {@link ProxyProtocolOptions}. */
export const PROXY_PROTOCOL_NAMES: readonly string[] = ['proxyProtocol', 'trustedSources', 'proxyHeaderTimeoutMs'];

/**
 * Checks the options; undefined when no headers are read.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function proxyProtocolPolicy(options: ProxyProtocolOptions): ProxyProtocolPolicy | undefined {
  const { proxyProtocol: mode = 'off', trustedSources, proxyHeaderTimeoutMs: timeoutMs = 10_000 } = options;
  if (mode !== 'off' && mode !== 'optional' && mode !== 'required') {
    throw new TypeError(`proxyProtocol must be 'off', 'optional' or 'required', got ${JSON.stringify(mode)}`);
  }
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) {
    throw new RangeError(`proxyHeaderTimeoutMs must be a number above 0, got ${String(timeoutMs)}`);
  }
  if (mode === 'off') {
    if (trustedSources === undefined) return undefined;
    throw new TypeError("trustedSources are given, but proxyProtocol is 'off': make it 'optional' or 'required'");
  }
  if (trustedSources === undefined) {
    throw new TypeError(
      `proxyProtocol '${mode}' needs trustedSources, as whoever is believed may claim any address: the networks of the ` +
        "proxies in front, such as ['10.0.0.0/8'], or 'any' where nobody else can connect",
    );
  }
  return { required: mode === 'required', trusted: new TrustedSources(trustedSources), timeoutMs };
}

/**
 * Reads the header of a connection and tells the stream of it.
 *
 * @param stream not started; without callback reads.
 * @throws CirqueError, source Downstream: HandshakeError when the header is missing, wrong, late or not to be believed,
 * ConnectionClosed when the client went away. The caller closes the stream.
 */
export async function readProxyHeader(stream: Stream, policy: ProxyProtocolPolicy, wheel?: TimerWheel): Promise<void> {
  const { remoteAddress } = stream.digest.transport;
  if (!policy.trusted.trusts(remoteAddress)) {
    if (policy.required) throw failure(`${remoteAddress ?? 'a unix socket'} is not among the trusted sources`);
    return;
  }
  const { timeoutMs: ms, required } = policy;
  const error = (): CirqueError => failure(`no PROXY header within ${ms} ms`);
  const header = await readFirst(stream.duplex, (bytes) => judge(bytes, required), { ms, error, wheel });
  if (header !== undefined) stream.identify({ proxyHeader: header });
}

function judge(bytes: Buffer, required: boolean): FirstBytes<ProxyHeader | undefined> | undefined {
  const parsed = parseProxyHeader(bytes);
  switch (parsed.kind) {
    case 'header':
      return { value: parsed.header, used: parsed.bytes };
    case 'incomplete':
      return undefined;
    case 'invalid':
      throw failure(`wrong PROXY header: ${parsed.reason}`);
    case 'absent':
      if (required) throw failure('the connection does not begin with a PROXY header');
      return { value: undefined, used: 0 };
  }
}

function failure(reason: string): CirqueError {
  return CirqueError.downstream('HandshakeError', reason);
}
