import { duplexPair } from 'node:stream';
import { HeaderMap, RequestHeader } from '@cirque/http';
import { DEFAULT_HTTP1_LIMITS, ResponseRules } from '@cirque/http1';
import { Stream } from '@cirque/transport';
import { expect, test, vi } from 'vitest';
import type { ClientSession } from './client-session.ts';
import { Http1ClientSession } from './http1-client-session.ts';
import { DEFAULT_PEER_OPTIONS } from './peer-options.ts';
import { RawTunnelSession } from './raw-tunnel-session.ts';

const UPGRADE = new RequestHeader('GET', '/', HeaderMap.from({ Host: 'a', Connection: 'Upgrade', Upgrade: 'chat' }));
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';

type Made = [name: string, make: (stream: Stream) => ClientSession, answer: string];

const KINDS: Made[] = [
  ['RawTunnelSession', (stream) => new RawTunnelSession(stream, DEFAULT_PEER_OPTIONS, () => undefined), ''],
  [
    'Http1ClientSession',
    (stream) => {
      const owner = { reusable() {}, closed() {} };
      const session = new Http1ClientSession(
        stream,
        DEFAULT_PEER_OPTIONS,
        new ResponseRules(DEFAULT_HTTP1_LIMITS),
        owner,
      );
      session.begin(DEFAULT_PEER_OPTIONS);
      return session;
    },
    SWITCHING,
  ],
];

test.each(KINDS)(
  '%s: the end of a tunnel is told once, however often it is paused and resumed',
  async (_, make, answer) => {
    const [near, far] = duplexPair();
    const session = make(new Stream(near, 'Upstream'));
    const log: string[] = [];
    session.handler = {
      onResponseHead: ({ status }) => void log.push(String(status)),
      onResponseBody: (buffer, start, end) => void log.push(buffer.toString('latin1', start, end)),
      onResponseEnd: () => void log.push('end'),
      onUpstreamFlush() {},
      onUpstreamDrain() {},
      onUpstreamError: (error) => void log.push(error.type),
    };
    session.writeHead(UPGRADE, 0);
    far.end(`${answer}hello`);
    await vi.waitFor(() => expect(log).toContain('end'));
    const before = [...log];
    session.pause();
    session.resume();
    session.pause();
    session.resume();
    expect(log).toEqual(before);
    expect(log.slice(1)).toEqual(['hello', 'end']);
    session.release();
    expect(near.destroyed).toBe(true);
  },
);
