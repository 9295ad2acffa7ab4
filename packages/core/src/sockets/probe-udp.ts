/**
 * Tries UDP addresses without keeping them: before several sockets share one, and for `--test`.
 *
 * With SO_REUSEPORT a second server that is started by accident would get a part of the datagrams, and nobody an error.
 */
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress } from '@cirque/transport';
import { isAddressInUse } from '../listeners/bind.ts';
import type { EndpointCheck } from '../service/service.ts';
import { isOnlyConnected } from '../upgrade/proc-net.ts';
import { bindDatagram, checkUdpOptions, type UdpSocketOptions, udpAddress } from './datagram-socket.ts';

/**
 * Refuses an address on which somebody receives already, whether that one shares it or not. For `resolveEndpoints` of
 * services that open UDP sockets. With `reusePort`, sockets that are connected to single clients do not count, on Linux.
 *
 * @returns the real address: with the port that the system chose for port 0.
 * @throws CirqueError of type BindError; TypeError or RangeError for a wrong address or option.
 */
export async function probeUdp(address: string | InetAddress, options: UdpSocketOptions = {}): Promise<InetAddress> {
  checkUdpOptions(options);
  const configured = udpAddress(address);
  const place = { service: '', reusePort: false, resolved: undefined };
  try {
    const { socket, address: bound } = await bindDatagram(configured, options, place);
    socket.close();
    return bound;
  } catch (error) {
    if (!CirqueError.is(error) || !isAddressInUse(error) || options.reusePort !== true) throw error;
    if (!isOnlyConnected(configured.port)) throw error;
    return configured; // sessions of a service that has stopped go on, with their own sockets
  }
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
