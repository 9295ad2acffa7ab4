import type { InetAddress } from '@cirque/transport';
import { expect, test } from 'vitest';
import { resolveUdpHooks } from './udp/udp-hooks.ts';
import { UDP_PHASES } from './udp-phases.ts';
import { defineUdp, type UdpPhases, UdpProxy } from './udp-proxy.ts';

const upstreamPeer = (): InetAddress => ({ host: '127.0.0.1', port: 53 });

test('UDP_PHASES has every phase once, and names only phases', () => {
  const names = UDP_PHASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(UDP_PHASES.flatMap(({ next }) => next).filter((name) => !names.includes(name))).toEqual([]);
  const all: Record<keyof UdpPhases<unknown>, true> = {
    sessionFilter: true,
    newCtx: true,
    datagramFromClient: true,
    upstreamPeer: true,
    datagramFromUpstream: true,
    failToSend: true,
    logging: true,
  };
  expect(names.toSorted()).toEqual(Object.keys(all).toSorted());
});

test('resolveUdpHooks binds the phases that are there, of classes too', () => {
  class Seven extends UdpProxy<number> {
    readonly port = 7;
    override newCtx(): number {
      return this.port;
    }
    override upstreamPeer() {
      return { host: '127.0.0.1', port: this.port };
    }
  }
  const hooks = resolveUdpHooks(new Seven());
  expect(hooks.newCtx()).toBe(7);
  expect([hooks.logging, hooks.failToSend, hooks.datagramFromClient]).toEqual([undefined, undefined, undefined]);
});

test.each([
  [{ upstreamPeer }, 'newCtx'],
  [{ newCtx: (): number => 1 }, 'upstreamPeer'],
  [{ upstreamPeer, newCtx: (): number => 1, logging: 1 }, 'logging'],
])('resolveUdpHooks refuses %o', (phases, name) => {
  expect(() => resolveUdpHooks(phases as unknown as UdpPhases<number>)).toThrow(name);
});

test('defineUdp adds a context where there is none', () => {
  expect(defineUdp({ upstreamPeer }).newCtx()).toBeUndefined();
  expect(defineUdp<number>({ upstreamPeer, newCtx: () => 5 }).newCtx()).toBe(5);
});
