/**
 * What servers are told of the client: X-Forwarded-*, Forwarded, both or neither.
 */
import type { RequestHeader } from '@cirque/http';
import { addForwarded, addXForwarded, type Session, type TrustedProxies } from '@cirque/proxy';
import type { HttpListenerConfig } from '../config/gateway-config.ts';

/** Adds the fields. */
export type ForwardedFields = (session: Session, request: RequestHeader) => void;

/** Undefined where nothing is added; claims of clients pass as they came then. */
export function forwardedFieldsOf(
  forwarded: HttpListenerConfig['forwarded'],
  trusted: TrustedProxies,
): ForwardedFields | undefined {
  const options = { trusted };
  // What the first of both has left is either believed or its own.
  const believed = { trusted: () => true };
  switch (forwarded) {
    case 'none':
      return undefined;
    case 'x-forwarded':
      return (session, request) => addXForwarded(session, request, options);
    case 'forwarded':
      return (session, request) => addForwarded(session, request, options);
    case 'both':
      return (session, request) => {
        addXForwarded(session, request, options);
        addForwarded(session, request, believed);
      };
  }
}
