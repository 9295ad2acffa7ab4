/**
 * Tries UDP addresses without keeping them: before several sockets share one, and for `--test`.
 *
 * With SO_REUSEPORT a second server that is started by accident would get a part of the datagrams, and nobody an error.
 */
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress } from '@cirque/transport';
import { isAddressInUse } from '../listeners/bind.ts';
import type { EndpointCheck } from '../service/service.ts';
import { bindDatagram, checkUdpOptions, type UdpSocketOptions, udpAddress } from './datagram-socket.ts';

/**
 * Refuses an address on which somebody receives already, whether that one shares it or not. For `resolveEndpoints` of
 * services that open UDP sockets.
 *
 * @returns the real address: with the port that the system chose for port 0.
 * @throws CirqueError of type BindError; TypeError or RangeError for a wrong address or option.
 */
export async function probeUdp(address: string | InetAddress, options: UdpSocketOptions = {}): Promise<InetAddress> {
  checkUdpOptions(options);
  const place = { service: '', reusePort: false, resolved: undefined };
  const { socket, address: bound } = await bindDatagram(udpAddress(address), options, place);
  socket.close();
  return bound;
}

/** The same for `check` of a service: what was found, as an answer. */
export async function checkUdp(address: string | InetAddress, options: UdpSocketOptions = {}): Promise<EndpointCheck> {
  const endpoint = formatAddress(udpAddress(address));
  try {
    await probeUdp(address, options);
    return { endpoint, outcome: 'ok' };
  } catch (error) {
    if (!CirqueError.is(error)) throw error;
    return isAddressInUse(error)
      ? { endpoint, outcome: 'in use' }
      : { endpoint, outcome: 'failed', reason: error.context };
  }
}
