/**
 * Whose certificate an upstream must show: the names that will do, and the comparison with it.
 *
 * Verification is never off because something was left out (Pingora: an empty SNI switches it off). Comparing is Node's,
 * RFC 9525 with common names where a certificate has no other name.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { CirqueError } from '@cirque/error';
import { type Address, formatAddress, isUnixAddress } from '@cirque/transport';
import type { ResolvedTlsPeerOptions } from './tls-peer-options.ts';

/** The name that the certificate of an upstream is to have: `sni`, or the host of the address. */
export function serverNameOf(address: Address, options: ResolvedTlsPeerOptions): string | undefined {
  return options.sni ?? (isUnixAddress(address) ? undefined : withoutDot(address.host));
}

/** The name to send: an IP address is none (RFC 6066 section 3). */
export function sentNameOf(address: Address, options: ResolvedTlsPeerOptions): string | undefined {
  const name = serverNameOf(address, options);
  return name === undefined || isIP(name) !== 0 ? undefined : name;
}

/** @throws TypeError when the certificate is to be verified against a name and there is none. */
export function checkHasName(address: Address, options: ResolvedTlsPeerOptions): void {
  if (!options.tls || !options.verifyCert || !options.verifyHostname) return;
  if (serverNameOf(address, options) !== undefined || options.alternativeCn !== undefined) return;
  throw new TypeError(
    `peer address ${formatAddress(address)} is a unix socket: expected peer option sni with the name to verify, ` +
      'or verifyHostname: false',
  );
}

/** For `checkServerIdentity` of `tls.connect`: undefined when the certificate is of one of the names. */
export function identityCheck(
  address: Address,
  options: ResolvedTlsPeerOptions,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  if (!options.verifyHostname) return () => undefined;
  const name = serverNameOf(address, options);
  const { alternativeCn } = options;
  const names = [name, alternativeCn].filter((one) => one !== undefined);
  return (_, certificate) => {
    const errors = names.map((one) => checkServerIdentity(one, certificate));
    // Without any name nothing can be right; HttpPeer refuses such peers, others may not.
    if (errors.length === 0) return CirqueError.upstream('InvalidCert', 'there is no name to verify: set sni');
    return errors.includes(undefined) ? undefined : errors[0];
  };
}

function withoutDot(host: string): string {
  return host.replace(/\.$/, '').toLowerCase();
}
