/**
 * How the parts of the service contract that members of a group have become those of the group.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';
import type { GroupMember } from './group-member.ts';
import type { EndpointCheck, Legacy, Service, ServiceContext, SocketName } from './service.ts';

/** @throws TypeError for what is no service. */
export function checkMember(group: string, service: Service): void {
  if (typeof service?.name === 'string' && service.name !== '' && typeof service.start === 'function') return;
  throw new TypeError(`a member of group ${group} needs a name and a start() function`);
}

/** For `--test`: one service after the other. */
export async function checkAll(
  services: readonly Service[],
  context: Pick<ServiceContext, 'logger' | 'configuration'>,
): Promise<readonly EndpointCheck[]> {
  const checks: EndpointCheck[] = [];
  for (const service of services) checks.push(...((await service.check?.(context)) ?? []));
  return checks;
}

/**
 * For `Service.resolveEndpoints`.
 *
 * @throws CirqueError of type BindError, also as {@link refuseTwins} does.
 */
export async function resolveAll(
  services: readonly Service[],
  isOpen: (name: SocketName) => boolean,
): Promise<Readonly<Record<string, string>>> {
  refuseTwins(services);
  const resolved: Record<string, string> = {};
  for (const service of services) Object.assign(resolved, await service.resolveEndpoints?.(isOpen));
  return resolved;
}

/** @throws CirqueError of type BindError when an address is there twice: threads could not tell the two apart. */
export function refuseTwins(services: readonly Service[]): void {
  const owners = new Map<string, string>();
  for (const { name, socketNames = [] } of services) {
    for (const { kind, address } of socketNames) {
      const key = `${kind} ${address}`;
      const other = owners.get(key);
      if (other !== undefined)
        throw CirqueError.internal(
          'BindError',
          `service ${name} cannot listen on ${address}: service ${other} of its group does; give each a port of its own`,
        );
      owners.set(key, name);
    }
  }
}

/**
 * Tries addresses and certificates of a service, but for addresses that are open already.
 *
 * @throws CirqueError of type BindError.
 */
export async function probe(
  service: Service,
  isOpen: (name: SocketName) => boolean,
  context: Pick<ServiceContext, 'logger' | 'configuration'>,
): Promise<void> {
  const open = new Set((service.socketNames ?? []).filter(isOpen).map(({ address }) => address));
  const failures = ((await service.check?.(context)) ?? []).flatMap(({ endpoint, outcome, reason = '' }) => {
    if (outcome === 'failed') return [reason === '' ? endpoint : reason];
    const advice = 'something listens there already; stop it or choose another address';
    return outcome === 'in use' && !open.has(endpoint) ? [`cannot listen on ${endpoint} (EADDRINUSE): ${advice}`] : [];
  });
  if (failures.length > 0) throw CirqueError.internal('BindError', `service ${service.name} ${failures.join('; ')}`);
}

/** What successors get of each member, by name. */
export function legacyOf(services: readonly Service[]): Legacy | undefined {
  const owners = services.flatMap(({ name, legacy }) => (legacy === undefined ? [] : [[name, legacy] as const]));
  if (owners.length === 0) return undefined;
  return {
    snapshot: () => Object.fromEntries(owners.map(([name, legacy]) => [name, legacy.snapshot()])),
    apply: (snapshot) => {
      for (const [name, legacy] of owners) {
        const own = (snapshot as Readonly<Record<string, unknown>>)[name];
        if (own !== undefined) legacy.apply(own);
      }
    },
  };
}

/** Gives members the sockets that have their addresses, and closes the others. A member that begins is waited for. */
export async function adoptAmong(
  members: readonly GroupMember[],
  owner: number,
  sockets: readonly SocketRecord[],
): Promise<void> {
  const rest = new Set(sockets);
  const present = members.filter(({ isLeaving }) => !isLeaving);
  const hands = present.map(({ ready, service }) => {
    const own = [...rest].filter((record) => hasAddress(service, record));
    for (const record of own) rest.delete(record);
    return own.length === 0 ? undefined : adoptReady(service, ready, owner, own);
  });
  for (const { fd } of rest) closeDescriptor(fd);
  await Promise.all(hands);
}

async function adoptReady(
  service: Service,
  ready: Promise<void>,
  owner: number,
  sockets: readonly SocketRecord[],
): Promise<void> {
  const isReady = await ready.then(
    () => true,
    () => false,
  );
  if (isReady && service.adopt !== undefined) await service.adopt(owner, sockets);
  else for (const { fd } of sockets) closeDescriptor(fd);
}

function hasAddress({ socketNames }: Service, { kind, address }: SocketName): boolean {
  return socketNames?.some((name) => name.kind === kind && name.address === address) ?? false;
}

/** A member on its way to another thread, with a port of its own. */
interface Moving {
  readonly member: string;
  readonly port: MessagePort;
}

const LAST = 'that was the last member';

/** For `Service.surrender`: each member has a way of its own. */
export async function surrenderAll(services: readonly Service[], port: MessagePort | undefined): Promise<void> {
  const done = services.map((service) => {
    if (port === undefined || service.surrender === undefined) return service.surrender?.(undefined);
    const { port1, port2 } = new MessageChannel();
    port.postMessage({ member: service.name, port: port2 } satisfies Moving, [port2]);
    return service.surrender(port1);
  });
  port?.postMessage(LAST);
  port?.close();
  await Promise.all(done);
}

/** For `Service.receive`. A member that is not here any more gets nothing: its sockets are closed. */
export async function receiveAmong(services: () => readonly Service[], port: MessagePort): Promise<void> {
  const received: Promise<void>[] = [];
  await new Promise<void>((resolve, reject) => {
    port.on('message', (message: Moving | typeof LAST) => {
      if (message === LAST) {
        resolve();
        return;
      }
      const service = services().find(({ name }) => name === message.member);
      if (service?.receive === undefined) message.port.close();
      else received.push(service.receive(message.port));
    });
    port.on('close', () => reject(new Error('the thread that moved its services ended before the last one')));
  });
  await Promise.all(received);
}

/** Session tickets go on with a service that has the same TLS settings. */
export function passOn(old: Service, next: Service): void {
  const key = old.replicated?.key;
  if (key === undefined || next.replicated?.key !== key || old.legacy === undefined) return;
  next.legacy?.apply(old.legacy.snapshot());
}

/**
 * For a service that comes while threads run, each of which would be given a port of its own.
 *
 * @param old its sockets go on.
 * @throws CirqueError of type BindError for port 0.
 */
export function refuseAnyPort(service: Service, old: Service | undefined): void {
  const name = service.socketNames?.find(
    ({ kind, address }) => kind !== 'unix' && address.endsWith(':0') && !(old && hasAddress(old, { kind, address })),
  );
  if (name === undefined) return;
  throw CirqueError.internal(
    'BindError',
    `service ${service.name} cannot listen on ${name.address} while threads run: choose a port, the same for all of them`,
  );
}

/** Reads the certificates of all services again. Rejects with the first error, after all have tried. */
export async function reloadAll(services: readonly Service[]): Promise<void> {
  const owners = services.filter(({ hasCertificates }) => hasCertificates === true);
  const outcomes = await Promise.allSettled(owners.map((service) => service.reloadCertificates?.()));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
