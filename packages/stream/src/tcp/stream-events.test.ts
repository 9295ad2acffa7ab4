import { channel } from 'node:diagnostics_channel';
import { serverConfiguration } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { afterEach, expect, test } from 'vitest';
import { MemorySite } from '../../test/memory-site.ts';
import { StreamPeer } from '../stream-peer.ts';
import { defineStream } from '../stream-proxy.ts';
import { connectionRecord } from './connection-log.ts';
import { STREAM_CHANNELS, type StreamMessage } from './stream-events.ts';
import { TcpApp } from './tcp-app.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

test('STREAM_CHANNELS tell of a connection from its start to its end, with one session', async () => {
  const told: [string, StreamMessage][] = [];
  for (const [name, path] of Object.entries(STREAM_CHANNELS)) {
    const listener = (message: unknown): void => void told.push([name, message as StreamMessage]);
    channel(path).subscribe(listener);
    undo.push(() => channel(path).unsubscribe(listener));
  }
  const peer = new StreamPeer('127.0.0.1:9');
  const site = new MemorySite(
    defineStream({
      upstreamPeer: () => peer,
      failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
    }),
  );
  undo.push(() => site.close());
  const refused = CirqueError.upstream('ConnectRefused', 'no');
  site.connects = () => {
    site.connects = () => 'opened';
    return refused;
  };
  const client = site.connect();
  await site.settle();
  client.reset();
  await site.settle();
  expect(told.map(([name]) => name)).toEqual(['start', 'connectError', 'connected', 'end']);
  const [[, start], [, failed], [, connected], [, end]] = told as [
    [string, StreamMessage],
    [string, StreamMessage],
    [string, StreamMessage],
    [string, StreamMessage],
  ];
  expect(new Set([start.session, failed.session, connected.session, end.session]).size).toBe(1);
  expect([failed.peer, failed.error, connected.peer, end.peer]).toEqual([peer, refused, peer, peer]);
  expect([end.error?.type, end.session.reason]).toEqual(['ReadError', 'client']);
});

test('a line of the access log cannot be forged by a server name, or by an error', () => {
  const session = { serverName: 'a\nb', attempts: 1, durationMs: 1.23456 };
  const error = CirqueError.upstream('ConnectError', 'x\ny');
  const line = JSON.stringify(connectionRecord(session as never, error));
  expect(line).not.toMatch(/[^\\]\\n/);
  expect(connectionRecord(session as never, error)).toMatchObject({ serverName: 'a\\nb', durationMs: 1.235 });
});

test('TcpApp follows the configuration where nothing was said in code', async () => {
  const lines: string[] = [];
  const opened: string[] = [];
  const logs = {
    open: (path: string) => {
      opened.push(path);
      return { write: (line: string) => void lines.push(line) };
    },
  };
  const app = new TcpApp(
    defineStream({ upstreamPeer: () => new StreamPeer('127.0.0.1:9') }),
    { accessLog: '/log' },
    {
      liveOptions: ({ maxRetries, accessLog }) => ({ maxRetries, accessLog }),
    },
  );
  app.setUp({ logger: console, logs, configuration: serverConfiguration(), thread: undefined } as never);
  app.reconfigure(serverConfiguration({ accessLog: '/elsewhere' }));
  app.reconfigure(serverConfiguration({ accessLog: false }));
  app.reconfigure(serverConfiguration({ accessLog: '/log' }));
  // One that was not there at the start is not opened any more.
  expect(opened).toEqual(['/log', '/log', '/log']);
});

test('TcpApp says which access log cannot be opened', () => {
  const app = new TcpApp(defineStream({ upstreamPeer: () => new StreamPeer('127.0.0.1:9') }), { accessLog: '/log' });
  const logs = {
    open: () => {
      throw new Error('no such directory');
    },
  };
  expect(() => app.setUp({ logger: console, logs } as never)).toThrow(
    'accessLog /log cannot be opened: no such directory',
  );
});
