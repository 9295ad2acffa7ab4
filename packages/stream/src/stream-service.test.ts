import { serverConfiguration } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { expect, test } from 'vitest';
import { StreamPeer } from './stream-peer.ts';
import { STREAM_PHASES } from './stream-phases.ts';
import { defineStream, type StreamPhases, StreamProxy } from './stream-proxy.ts';
import { streamProxyService } from './stream-service.ts';

const phases = defineStream({ upstreamPeer: () => new StreamPeer('127.0.0.1:9') });

test('streamProxyService names the service and takes the options of a listening one', () => {
  const service = streamProxyService(serverConfiguration(), phases, { name: 'db', threads: 2, maxConnections: 5 });
  expect([service.name, service.threads]).toEqual(['db', 2]);
  expect(streamProxyService(serverConfiguration(), phases).name).toBe('TCP proxy');
  expect(service.stats()).toMatchObject({ connections: { open: 0 }, stream: { sessions: 0 } });
});

test.each([
  [{}, 'the proxy has no newCtx(): it is required'],
  [{ newCtx: (): number => 1 }, 'the proxy has no upstreamPeer(): it is required'],
  [{ ...phases, peek: 1 }, 'phase peek of the proxy is number: expected a function'],
])('streamProxyService refuses phases %j', (wrong, message) => {
  expect(() => streamProxyService(serverConfiguration(), wrong as StreamPhases<undefined>)).toThrow(message);
});

test('streamProxyService refuses unknown and wrong options', () => {
  const wrong = (options: object) => () => streamProxyService(serverConfiguration(), phases, options);
  expect(wrong({ idle: 1 })).toThrow('stream option idle is unknown');
  expect(wrong({ maxConnections: 0 })).toThrow(/maxConnections/);
  expect(wrong({ caFile: '/does/not/exist' })).toThrow('/does/not/exist');
});

test('STREAM_PHASES has every phase of a proxy, and follows none into nothing', () => {
  const names = STREAM_PHASES.map(({ name }) => name);
  const all: Record<keyof StreamPhases<unknown>, true> = {
    connectionFilter: true,
    newCtx: true,
    peek: true,
    upstreamPeer: true,
    failToConnect: true,
    connectedToUpstream: true,
    logging: true,
  };
  expect(names).toEqual(Object.keys(all));
  for (const { next } of STREAM_PHASES) for (const name of next) expect(names).toContain(name);
});

test('both forms of a proxy refuse a misspelt phase at compile time', () => {
  // @ts-expect-error: it is failToConnect
  defineStream({ upstreamPeer: () => new StreamPeer('127.0.0.1:9'), failedToConnect: () => CirqueError.upstream('X') });
  class Mine extends StreamProxy {
    override newCtx(): undefined {
      return undefined;
    }
    override upstreamPeer(): StreamPeer {
      return new StreamPeer('127.0.0.1:9');
    }
    // @ts-expect-error: there is no such phase to override
    override loging(): void {}
  }
  expect('logging' in new Mine()).toBe(false);
});
