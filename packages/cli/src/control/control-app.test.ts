import type { PlainRequest, PlainResponse } from '@cirque/core';
import { HeaderMap } from '@cirque/http';
import { LoadBalancer } from '@cirque/load-balancing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ControlApp } from './control-app.ts';

let balancer: LoadBalancer;
let isReady: boolean;
let app: ControlApp;

beforeEach(() => {
  balancer = LoadBalancer.fromAddresses(['127.0.0.1:9000', '[::1]:9001']);
  isReady = true;
  app = new ControlApp({
    stats: async () => ({ pid: 1 }),
    isReady: () => isReady,
    balancer: (name) => (name === 'app' ? balancer : undefined),
  });
});

function ask(method: string, target: string, body = '', client?: string, host?: string): Promise<PlainResponse> {
  const headers = HeaderMap.empty();
  if (host !== undefined) headers.set('Host', host);
  const request: PlainRequest = { method, target, headers, clientAddress: client, body: async () => Buffer.from(body) };
  return app.response(request);
}

describe('ControlApp', () => {
  it('ControlApp tells statistics and readiness', async () => {
    expect(await ask('GET', '/stats')).toMatchObject({ status: 200, body: '{"pid":1}\n' });
    expect((await ask('GET', '/ready')).status).toBe(200);
    isReady = false;
    expect((await ask('GET', '/ready?x=1')).status).toBe(503);
    expect((await ask('POST', '/stats')).status).toBe(405);
    expect((await ask('GET', '/')).status).toBe(404);
  });

  it('ControlApp shows and sets the state of a server', async () => {
    const path = '/upstreams/app/servers/127.0.0.1:9000/state';
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: 'active\n' });
    expect(await ask('PUT', path, 'draining\n')).toMatchObject({ status: 200, body: 'draining\n' });
    expect(balancer.stateOf('127.0.0.1:9000')).toBe('draining');
    expect((await ask('PUT', path, 'active')).status).toBe(200);
    expect(balancer.stateOf('127.0.0.1:9000')).toBe('active');
    expect((await ask('PUT', '/upstreams/app/servers/%5B::1%5D:9001/state', 'maintenance')).status).toBe(200);
    expect(balancer.stateOf('[::1]:9001')).toBe('maintenance');
  });

  it.each([
    ['PUT', '/upstreams/app/servers/127.0.0.1:9000/state', 'drain', 400, /"drain" is unknown: expected active/],
    ['PUT', '/upstreams/no/servers/127.0.0.1:9000/state', 'active', 404, /no upstream "no"/],
    ['PUT', '/upstreams/app/servers/127.0.0.1:1/state', 'active', 404, /no server "127\.0\.0\.1:1"/],
    ['PUT', '/upstreams/app/servers/nonsense/state', 'active', 404, /no server "nonsense"/],
    ['GET', '/upstreams/app/servers/%ff/state', '', 404, /no server/],
    ['DELETE', '/upstreams/app/servers/127.0.0.1:9000/state', '', 405, /allowed: GET, HEAD, PUT/],
  ])('ControlApp refuses %s %s with %j', async (method, path, body, status, message) => {
    const response = await ask(method, path, body);
    expect(response.status).toBe(status);
    expect(response.body).toMatch(message);
  });

  it.each([
    ['127.0.0.1:9901', 200],
    ['[::1]:9901', 200],
    ['localhost', 200],
    ['evil.example:9901', 421],
    ['localhost.evil.example', 421],
    [undefined, 421],
  ])('ControlApp on TCP answers to the Host %s with %i', async (host, status) => {
    expect((await ask('GET', '/ready', '', '127.0.0.1', host)).status).toBe(status);
  });
});
