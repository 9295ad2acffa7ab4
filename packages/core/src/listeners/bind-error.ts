/**
 * Turns the failure to listen into an error that says where, why, and what would help.
 */
import { type CirqueError, fromNodeError } from '@cirque/error';
import { type Address, formatAddress } from '@cirque/transport';

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already; stop it or choose another address',
  EACCES: 'permission is missing; ports below 1024 and foreign directories need more rights, choose another address',
  EADDRNOTAVAIL: 'this machine has no such address; use one of its own, or 0.0.0.0 or [::] for all',
  ENOTFOUND: 'the host name is unknown; use an address or a name that resolves',
  EAI_AGAIN: 'the host name could not be resolved now; use an address or check the name service',
  ENOENT: 'its directory does not exist; create it first',
  ENOTDIR: 'its directory is not a directory; choose another path',
  ENOTSOCK: 'a file that is not a socket is there; remove it or choose another path',
  EAFNOSUPPORT: 'this machine does not have that address family; use an IPv4 address',
  ENAMETOOLONG: 'its path is too long for a socket; choose a shorter one',
};

/** What helps where several threads were to listen on one address. */
const NO_REUSE_PORT = 'this system cannot share an address between threads; set threads to 1';

/**
 * The error for an endpoint that cannot be bound. Its cause is the error of the system.
 *
 * @param how whether the address was to be shared between threads, which some systems cannot do.
 */
export function bindError(
  cause: unknown,
  endpoint: { readonly address: Address },
  { reusePort = false }: { readonly reusePort?: boolean } = {},
): CirqueError {
  const code = codeOfError(cause);
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  const remedy = reusePort && isUnsupported(code) ? NO_REUSE_PORT : code === undefined ? undefined : REMEDIES[code];
  const advice = remedy === undefined ? '' : `: ${remedy}`;
  return fromNodeError(
    cause,
    'bind',
    'Internal',
    `cannot listen on ${formatAddress(endpoint.address)} (${reason})${advice}`,
  );
}

/** What the system answers to an option that it does not have. */
function isUnsupported(code: string | undefined): boolean {
  return code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOPROTOOPT';
}

/** The system's code of an error, such as `EADDRINUSE`. */
export function codeOfError(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
