/** Requests that name another host than their TLS handshake, where hosts ask for different client certificates. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type ConnectionOptions, connect } from 'node:tls';
import { LeakCheck, makeCa } from '@cirque/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { httpService, TlsSettings, type TlsSettingsOptions } from '../src/index.ts';
import { RunningServer } from './running-server.ts';
import { ca, closed } from './tls-site.ts';

const people = makeCa('People');
const ann = people.issue({ commonName: 'Ann', clientAuth: true });
const names = ['open.example', 'also-open.example', 'people.example', 'others.example'];
const certificate = ca.issue({ names });
const guarded: TlsSettingsOptions = {
  certificate,
  hosts: {
    'people.example': { ...certificate, clientCertificate: 'require', clientCa: people.cert },
    'same.people.example': { ...certificate, clientCertificate: 'require', clientCa: people.cert },
    'others.example': { ...certificate, clientCertificate: 'require', clientCa: makeCa('Others').cert },
  },
};

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(() => check.assertClean());

async function start(options: TlsSettingsOptions): Promise<{ running: RunningServer; port: number }> {
  const service = httpService('site', ({ headers }) => ({ body: `host ${headers.get('host')}` }));
  service.addTlsWithSettings('127.0.0.1:0', new TlsSettings(options).enableH2());
  const running = await RunningServer.start([service]);
  return { running, port: (service.endpoints[0] as { port: number }).port };
}

/** The status lines of requests for these hosts, sent together on one HTTP/1 connection. */
async function statuses(port: number, options: ConnectionOptions, ...requests: readonly string[]): Promise<string[]> {
  const socket = connect({ port, ca: ca.cert, ...options });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'secureConnect');
  const [last = ''] = requests.slice(-1);
  for (const request of requests.slice(0, -1)) socket.write(`${request}\r\n`);
  socket.write(`${last}Connection: close\r\n\r\n`);
  await once(socket, 'end');
  await closed(socket);
  return text.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)) ?? [];
}

const get = (host: string, target = '/'): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n`;

test('HTTP/1: another host is answered with 421 where its rules differ', async () => {
  const { running, port } = await start(guarded);
  const open = { servername: 'open.example' };
  expect(await statuses(port, open, get('open.example'))).toEqual(['200']);
  expect(await statuses(port, open, get('also-open.example:8443'), get('OPEN.example'))).toEqual(['200', '200']);
  expect(await statuses(port, open, get('people.example'))).toEqual(['421']);
  expect(await statuses(port, open, get('PEOPLE.example.:443'))).toEqual(['421']);
  expect(await statuses(port, open, get('people.example', 'http://people.example/'))).toEqual(['421']);
  // The connection ends there: nothing is answered behind it.
  expect(await statuses(port, open, get('open.example'), get('people.example'), get('open.example'))).toEqual([
    '200',
    '421',
  ]);
  const trusted = { servername: 'people.example', ...ann };
  expect(await statuses(port, trusted, get('people.example'))).toEqual(['200']);
  expect(await statuses(port, trusted, get('same.people.example'))).toEqual(['200']);
  expect(await statuses(port, trusted, get('open.example'))).toEqual(['200']);
  expect(await statuses(port, trusted, get('others.example'))).toEqual(['421']);
  await running.stopFast();
});

test('HTTP/2: another host is answered with 421, and the connection goes on', async () => {
  const { running, port } = await start(guarded);
  const session = connectHttp2(`https://open.example:${port}`, {
    createConnection: () =>
      connect({ port, ca: ca.cert, servername: 'open.example', ALPNProtocols: ['h2'], host: '127.0.0.1' }),
  });
  const status = async (authority: string): Promise<number | undefined> => {
    const stream = session.request({ ':path': '/', ':authority': authority });
    stream.resume();
    const [headers] = (await once(stream, 'response')) as [Record<string, number>];
    return headers[':status'];
  };
  expect(await status('people.example')).toBe(421);
  expect(await status('open.example')).toBe(200);
  session.close();
  await once(session, 'close');
  await running.stopFast();
});

test('nothing is in the way where all hosts have the same rules', async () => {
  const { running, port } = await start({ certificate, hosts: { 'people.example': certificate } });
  expect(await statuses(port, { servername: 'open.example' }, get('people.example'))).toEqual(['200']);
  await running.stopFast();
});
