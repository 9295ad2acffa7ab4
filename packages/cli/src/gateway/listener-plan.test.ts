import { describe, expect, it } from 'vitest';
import type { ListenerConfig } from '../config/gateway-config.ts';
import { type GatewayListener, placeOf, settingsOf } from './listener.ts';
import { type ListenerPlan, listenerPlan } from './listener-plan.ts';

/** A listener by `name protocol address limit`. */
function config(text: string): ListenerConfig {
  const [name = '', protocol = '', address = '', limit = '0'] = text.split(' ');
  return { name, protocol, address, routes: [], maxConnections: Number(limit) } as unknown as ListenerConfig;
}

function make(one: ListenerConfig): GatewayListener {
  const service = { name: one.name, start: async () => {} };
  return { name: one.name, service, settings: settingsOf(one), place: placeOf(one), prepare: () => () => {} };
}

function plan(before: readonly string[], after: readonly string[]): ListenerPlan {
  return listenerPlan({
    open: before.map((text) => make(config(text))),
    configs: after.map(config),
    upstreams: () => {
      throw new Error('nobody asks');
    },
    make,
  });
}

describe('listenerPlan', () => {
  it.each([
    ['the same', ['a tcp h:1'], ['a tcp h:1'], 1, [], [], []],
    ['another setting', ['a tcp h:1'], ['a tcp h:1 5'], 0, [], ['a>a'], []],
    ['another address', ['a tcp h:1'], ['a tcp h:2'], 0, [], ['a>a'], []],
    ['another name', ['a tcp h:1'], ['b tcp h:1'], 0, [], ['a>b'], []],
    ['another protocol on the same socket', ['a tcp h:1'], ['a http h:1'], 0, [], ['a>a'], []],
    ['another kind of socket', ['a tcp h:1'], ['a udp h:1'], 0, [], ['a>a'], []],
    ['datagrams beside connections', ['a tcp h:1'], ['a tcp h:1', 'b udp h:1'], 1, [], [], ['b']],
    ['others', ['a tcp h:1', 'b tcp h:2'], ['c tcp h:3'], 0, ['a', 'b'], [], ['c']],
    ['a name that goes on at another address', ['a tcp h:1'], ['b tcp h:1', 'a tcp h:2'], 0, [], ['a>b'], ['a']],
    ['the same, written first', ['a tcp h:1'], ['a tcp h:2', 'b tcp h:1'], 0, [], ['a>b'], ['a']],
    ['names that change places', ['a tcp h:1', 'b tcp h:2'], ['b tcp h:1', 'a tcp h:2'], 0, ['a', 'b'], [], ['b', 'a']],
    ['names that move on', ['a tcp h:1', 'b tcp h:2'], ['b tcp h:1', 'c tcp h:2'], 0, ['a'], ['b>c'], ['b']],
  ])('listenerPlan for %s', (_, before, after, kept, removed, replaced, added) => {
    const found = plan(before, after);
    expect({
      kept: found.swaps.length,
      removed: found.removed.map(({ name }) => name),
      replaced: found.replaced.map(([old, next]) => `${old.name}>${next.name}`),
      added: found.added.map(({ name }) => name),
    }).toEqual({ kept, removed, replaced, added });
  });
});
