import { Backend } from '@cirque/load-balancing';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { describe, expect, it } from 'vitest';
import { BackendPeers, type PeerFacts } from './backend-peers.ts';

const socket = { remoteAddress: '192.0.2.1', remotePort: 1_000, localAddress: '192.0.2.9', localPort: 80 };

function facts(host?: string, remotePort = 1_000): PeerFacts {
  return { host, digest: { socket: { ...socket, remotePort } } };
}

/** Peers, and how many were made. */
function peersOf(
  options: PeerOptions,
  proxyProtocol?: 1 | 2,
): { of: BackendPeers<HttpPeer>['of']; made: () => number } {
  let made = 0;
  const peers = new BackendPeers<HttpPeer, PeerOptions>({ options, proxyProtocol }, (backend, own) => {
    made += 1;
    return new HttpPeer(backend, own);
  });
  return { of: peers.of.bind(peers), made: () => made };
}

const ip = Backend.parse('10.0.0.1:443');
const name = Backend.parse('app.internal:443');
const unix = Backend.parse('unix:/run/app.sock');

describe('BackendPeers', () => {
  it('BackendPeers makes one peer per backend, and looks at no client', () => {
    const { made, of } = peersOf({ readTimeoutMs: 5 });
    const nobody = new Proxy({} as PeerFacts, {
      get: () => {
        throw new Error('the client was looked at');
      },
    });
    expect(of(ip, nobody)).toBe(of(ip, nobody));
    expect(of(name, nobody)).not.toBe(of(ip, nobody));
    expect(made()).toBe(2);
    expect(of(ip, nobody).options.readTimeoutMs).toBe(5);
  });

  it('BackendPeers takes the name for TLS from the file, then the server, then the client', () => {
    const sni = (options: PeerOptions, backend: Backend, host?: string): string | undefined =>
      peersOf({ tls: true, ...options }).of(backend, facts(host)).options.sni;
    expect(sni({ sni: 'file.example' }, ip, 'client.example')).toBe('file.example');
    expect(sni({}, name, 'client.example')).toBeUndefined();
    expect(sni({}, ip, 'client.example')).toBe('client.example');
    expect(sni({}, unix, 'client.example')).toBe('client.example');
    expect(sni({}, ip)).toBeUndefined();
    for (const odd of ['', '::1', 'a..b', 'a b', 'x'.repeat(300)]) expect(sni({}, ip, odd)).toBeUndefined();
  });

  it('BackendPeers keeps the peers of names that clients choose, but not all of them', () => {
    const { made, of } = peersOf({ tls: true });
    for (let n = 0; n < 3; n += 1) of(ip, facts('a.example'));
    expect(made()).toBe(1);
    for (let n = 0; n < 200; n += 1) of(ip, facts(`h${n}.example`));
    expect(made()).toBe(201);
    of(ip, facts('h199.example'));
    expect(made()).toBe(201);
    of(ip, facts('a.example'));
    expect(made()).toBe(202);
  });

  it('BackendPeers tells servers of each client by a PROXY header', () => {
    const { of } = peersOf({}, 1);
    const peer = of(ip, facts(undefined, 1_000));
    expect(peer.options.proxyProtocol).toBe('PROXY TCP4 192.0.2.1 192.0.2.9 1000 80\r\n');
    expect(of(ip, facts(undefined, 1_001)).reuseKey).not.toBe(peer.reuseKey);
    const secure = peersOf({ tls: true }, 2).of(ip, facts('a.example'));
    expect([secure.options.sni, secure.options.proxyProtocol?.startsWith('\r\n\r\n\0\r\nQUIT\n')]).toEqual([
      'a.example',
      true,
    ]);
  });
});
