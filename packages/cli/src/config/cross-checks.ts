/**
 * What no part of a file can know alone: names that lead nowhere, the same address twice, settings of upstreams that do not go with the
 * listeners that use them.
 *
 * Looks at the document as it is written, so that these problems are reported beside all others.
 */

import { listenAddress } from '../schema/address-values.ts';
import { nearest } from '../schema/basic-values.ts';
import type { DocumentPath } from './document-path.ts';
import type { YamlSource } from './yaml-source.ts';

/** A place that names an upstream. */
interface Reference {
  readonly path: DocumentPath;
  readonly upstream: string;
  readonly protocol: string;
}

/** Reports all such problems. */
export function crossCheck(source: YamlSource): void {
  const listeners = listOf(field(source.value, 'listeners'));
  const references = listeners.flatMap((listener, index) => referencesOf(listener, ['listeners', index]));
  checkNames(source, listeners);
  checkAddresses(source, listeners);
  for (const reference of references) checkReference(source, reference);
}

function referencesOf(listener: unknown, path: DocumentPath): Reference[] {
  const protocol = String(field(listener, 'protocol') ?? 'http');
  const found: Reference[] = [];
  const add = (value: unknown, at: DocumentPath): void => {
    if (typeof value === 'string') found.push({ path: at, upstream: value, protocol });
  };
  add(field(listener, 'upstream'), [...path, 'upstream']);
  for (const [index, route] of listOf(field(listener, 'routes')).entries()) {
    const key = protocol === 'tcp' ? 'upstream' : 'proxy';
    const action = field(route, key);
    const at = [...path, 'routes', index, key];
    if (typeof action === 'string') add(action, at);
    else add(field(action, 'upstream'), [...at, 'upstream']);
  }
  return found;
}

function checkReference(source: YamlSource, { path, upstream, protocol }: Reference): void {
  if (source.isUnknown(path)) return;
  const upstreams = field(source.value, 'upstreams');
  const target = field(upstreams, upstream);
  if (target !== undefined) {
    checkFit(source, ['upstreams', upstream], target, protocol);
    return;
  }
  const names = typeof upstreams === 'object' && upstreams !== null ? Object.keys(upstreams) : [];
  const there = names.length === 0 ? 'there are no upstreams' : `there are ${names.slice(0, 10).join(', ')}`;
  const hint = source.isSubstituted(path) ? there : (nearest(upstream, names) ?? there);
  source.problem(path, `${source.shown(path)} is no upstream: ${hint}`);
}

/** What needs HTTP, or connections, does not go with streams and datagrams. */
function checkFit(source: YamlSource, path: DocumentPath, upstream: unknown, protocol: string): void {
  if (protocol !== 'tcp' && protocol !== 'udp') return;
  const refuse = (keys: DocumentPath, message: string): void => {
    const at = [...path, ...keys];
    const known = source.problems.some((one) => one.message === message && one.path === source.at(at, '').path);
    if (!known) source.problem(at, message);
  };
  const sticky = field(upstream, 'sticky');
  if (field(sticky, 'cookie') !== undefined)
    refuse(
      ['sticky', 'cookie'],
      `is for http, but a ${protocol} listener uses this upstream: write sticky: { source: true }`,
    );
  const key = field(field(upstream, 'balance'), 'key');
  const right = protocol === 'tcp' ? ['client_ip', 'sni'] : ['client_ip'];
  if (typeof key === 'string' && !right.includes(key) && /^(?:uri|path|host|sni|header:.*|cookie:.*)$/.test(key))
    refuse(
      ['balance', 'key'],
      `must be ${right.join(' or ')} where a ${protocol} listener uses the upstream, got ${source.shown([...path, 'balance', 'key'])}`,
    );
  if (protocol !== 'udp') return;
  const tls = field(upstream, 'tls');
  if (tls !== undefined && tls !== false) refuse(['tls'], 'is for connections, but a udp listener uses this upstream');
  if (field(upstream, 'proxy_protocol') !== undefined)
    refuse(['proxy_protocol'], 'is for connections, but a udp listener uses this upstream');
  for (const at of unixServers(upstream))
    refuse(at, 'must be host:port: a udp listener uses this upstream, and datagrams do not go over unix sockets here');
}

/** Where servers of an upstream are unix sockets. */
function unixServers(upstream: unknown): DocumentPath[] {
  if (isUnix(upstream)) return [[]];
  const [list, prefix] = Array.isArray(upstream) ? [upstream, []] : [listOf(field(upstream, 'servers')), ['servers']];
  return list.flatMap((server, index) => {
    if (isUnix(server)) return [[...prefix, index]];
    return isUnix(field(server, 'address')) ? [[...prefix, index, 'address']] : [];
  });
}

function isUnix(address: unknown): boolean {
  return typeof address === 'string' && address.startsWith('unix:');
}

function checkNames(source: YamlSource, listeners: readonly unknown[]): void {
  const seen = new Map<string, number>();
  for (const [index, listener] of listeners.entries()) {
    const name = field(listener, 'name');
    if (typeof name !== 'string') continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else {
      const path = ['listeners', index, 'name'];
      source.problem(path, `must be unique, but ${source.shown(path)} is the name of listeners[${first}], too`);
    }
  }
}

/** The same port may be used by tcp and by udp. */
function checkAddresses(source: YamlSource, listeners: readonly unknown[]): void {
  const seen = new Map<string, number>();
  for (const [index, listener] of listeners.entries()) {
    const { success, data } = listenAddress.safeParse(field(listener, 'address'));
    if (!success) continue;
    const identity = `${field(listener, 'protocol') === 'udp' ? 'udp' : 'tcp'} ${data}`;
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, index);
    else {
      const path = ['listeners', index, 'address'];
      source.problem(path, `must be unique, but listeners[${first}] listens on ${source.shown(path)}, too`);
    }
  }
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
