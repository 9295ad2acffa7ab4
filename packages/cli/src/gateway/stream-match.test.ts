import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { StreamRouteConfig } from '../config/gateway-config.ts';
import { type ClientFacts, findRoute, needsBytes, serverNameOf, streamRoutes } from './stream-match.ts';

const PASSING: ClientFacts = { client: '192.0.2.7', terminated: undefined };

function route(upstream: string, conditions: Partial<StreamRouteConfig> = {}): StreamRouteConfig {
  const any = { sni: undefined, alpn: undefined, httpHost: undefined, prefix: undefined, clients: undefined };
  return { ...any, name: upstream, upstream, ...conditions };
}

/** The first flight of a real client. */
function clientHello(servername: string, ALPNProtocols: string[] = []): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    connect({ socket, servername, ALPNProtocols }).on('error', () => {});
  });
}

function found(routes: StreamRouteConfig[], seen: Buffer | string, ended = false, facts = PASSING): string | undefined {
  const result = findRoute(streamRoutes(routes), facts, Buffer.from(seen), ended);
  return result === undefined || result === 'more' ? result : result.config.upstream;
}

describe('findRoute', () => {
  it('findRoute takes the first route that fits', () => {
    expect(found([route('a'), route('b')], '')).toBe('a');
    expect(found([], '')).toBeUndefined();
  });

  it('findRoute goes by the server name of the handshake, as soon as it is complete', async () => {
    const routes = [route('a', { sni: ['a.example'] }), route('any-b', { sni: ['*.b.example'] }), route('rest')];
    const hello = await clientHello('x.b.example');
    expect(found(routes, hello)).toBe('any-b');
    expect(found(routes, hello.subarray(0, hello.length - 1))).toBe('more');
    expect(found(routes, hello.subarray(0, 1))).toBe('more');
    expect(found(routes, '')).toBe('more');
    expect(found(routes, await clientHello('a.example'))).toBe('a');
    expect(found(routes, await clientHello('c.example'))).toBe('rest');
  });

  it('findRoute does not wait for a handshake where there is none', () => {
    const routes = [route('a', { sni: ['a.example'] }), route('rest')];
    expect(found(routes, 'GET / HTTP/1.1\r\n')).toBe('rest');
    expect(found([route('a', { sni: ['a.example'] })], 'GET / HTTP/1.1\r\n')).toBeUndefined();
  });

  it('findRoute passes over what cannot be judged when nothing more comes', () => {
    const routes = [route('a', { sni: ['a.example'] }), route('rest')];
    expect(found(routes, '', true)).toBe('rest');
    expect(found(routes, Buffer.from([0x16, 3, 1]), true)).toBe('rest');
  });

  it('findRoute asks for all conditions of a route', async () => {
    const both = route('h2', { sni: ['a.example'], alpn: ['h2'] });
    expect(found([both, route('rest')], await clientHello('a.example', ['h2']))).toBe('h2');
    expect(found([both, route('rest')], await clientHello('a.example', ['http/1.1']))).toBe('rest');
    expect(found([both, route('rest')], await clientHello('b.example', ['h2']))).toBe('rest');
  });

  it('findRoute goes by the Host of a request and by first bytes', () => {
    const routes = [route('ssh', { prefix: 'SSH-' }), route('web', { httpHost: ['www.example'] })];
    expect(found(routes, 'SSH-2.0-x')).toBe('ssh');
    expect(found(routes, 'SS')).toBe('more');
    expect(found(routes, 'GET / HTTP/1.1\r\nHost: www.example:80\r\n\r\n')).toBe('web');
    expect(found(routes, 'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n')).toBeUndefined();
  });

  it('findRoute goes by the networks of clients, without bytes', () => {
    const routes = [route('inside', { clients: ['10.0.0.0/8', 'fd00::/8'] }), route('one', { clients: ['192.0.2.7'] })];
    const from = (client: string | undefined): ClientFacts => ({ client, terminated: undefined });
    expect(found(routes, '', false, from('10.9.9.9'))).toBe('inside');
    expect(found(routes, '', false, from('::ffff:10.9.9.9'))).toBe('inside');
    expect(found(routes, '', false, from('fd12::1'))).toBe('inside');
    expect(found(routes, '', false, from('192.0.2.7'))).toBe('one');
    expect(found(routes, '', false, from('192.0.2.8'))).toBeUndefined();
    expect(found(routes, '', false, from(undefined))).toBeUndefined();
  });

  it('findRoute goes by the handshake that has ended here', () => {
    const facts: ClientFacts = { client: undefined, terminated: { serverName: 'a.example', alpn: 'h2' } };
    const routes = [route('b', { sni: ['b.example'] }), route('a', { sni: ['a.example'], alpn: ['h2'] })];
    expect(found(routes, '', false, facts)).toBe('a');
    expect(serverNameOf(facts, Buffer.alloc(0))).toBe('a.example');
  });
});

describe('needsBytes', () => {
  it('needsBytes is true where a route asks for what the client sends', () => {
    const needs = (conditions: Partial<StreamRouteConfig>, terminated = false): boolean =>
      needsBytes(streamRoutes([route('a', conditions)]), terminated);
    expect(needs({})).toBe(false);
    expect(needs({ clients: ['10.0.0.0/8'] })).toBe(false);
    expect(needs({ sni: ['a.example'] })).toBe(true);
    expect(needs({ sni: ['a.example'] }, true)).toBe(false);
    expect(needs({ prefix: 'SSH' }, true)).toBe(true);
    expect(needs({ httpHost: ['a.example'] })).toBe(true);
  });
});
