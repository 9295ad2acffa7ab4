import { closeSync, fstatSync, openSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../logger.ts';
import { serverConfiguration } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import {
  adoptAmong,
  legacyOf,
  probe,
  receiveAmong,
  refuseAnyPort,
  refuseTwins,
  reloadAll,
  surrenderAll,
} from './group-contract.ts';
import type { GroupMember } from './group-member.ts';
import type { EndpointCheck, Service } from './service.ts';

function service(name: string, parts: Partial<Service> = {}): Service {
  return { name, start: async () => {}, ...parts };
}

const at = (...addresses: string[]): Pick<Service, 'socketNames'> => ({
  socketNames: addresses.map((address) => ({ kind: 'tcp', address })),
});

const context = { logger: silentLogger, configuration: serverConfiguration() };

test('refuseTwins refuses an address that is there twice, also in one service', () => {
  const one = service('one', at('127.0.0.1:1'));
  expect(() => refuseTwins([one, service('two', at('127.0.0.1:2')), service('three')])).not.toThrow();
  expect(() => refuseTwins([one, service('two', at('127.0.0.1:1'))])).toThrow(
    'service two cannot listen on 127.0.0.1:1: service one of its group does; give each a port of its own',
  );
  expect(() => refuseTwins([service('one', at('127.0.0.1:1', '127.0.0.1:1'))])).toThrow('127.0.0.1:1');
});

test('refuseAnyPort refuses port 0, unless it is that of the service before', () => {
  const any = service('one', at('127.0.0.1:0'));
  expect(() => refuseAnyPort(any, undefined)).toThrow('service one cannot listen on 127.0.0.1:0 while threads run');
  expect(() => refuseAnyPort(any, service('one', at('[::1]:0')))).toThrow('127.0.0.1:0');
  expect(() => refuseAnyPort(any, service('one', at('127.0.0.1:0')))).not.toThrow();
  expect(() => refuseAnyPort(service('one', at('127.0.0.1:80')), undefined)).not.toThrow();
});

describe('probe', () => {
  const checked = (...checks: EndpointCheck[]): Service =>
    service('one', { ...at('a:1', 'b:1'), check: async () => checks });

  test('probe passes what is free, and what the group has open', async () => {
    const one = checked({ endpoint: 'a:1', outcome: 'in use' }, { endpoint: 'b:1', outcome: 'ok' });
    await probe(one, ({ address }) => address === 'a:1', context);
    await probe(service('unknown'), () => false, context);
  });

  test('probe says what cannot be bound, and what cannot be used', async () => {
    const one = checked(
      { endpoint: 'a:1', outcome: 'in use' },
      { endpoint: 'b:1', outcome: 'failed', reason: 'bad key' },
    );
    await expect(probe(one, () => false, context)).rejects.toMatchObject({
      type: 'BindError',
      context:
        'service one cannot listen on a:1 (EADDRINUSE): something listens there already; stop it or choose another address; bad key',
    });
    await expect(probe(one, () => true, context)).rejects.toThrow('service one bad key');
  });
});

test('legacyOf is that of each service, by name', () => {
  expect(legacyOf([service('one')])).toBeUndefined();
  const applied: unknown[] = [];
  const owner = (name: string): Service =>
    service(name, { legacy: { snapshot: () => `of ${name}`, apply: (state) => void applied.push([name, state]) } });
  const legacy = legacyOf([owner('one'), service('two'), owner('three')]);
  expect(legacy?.snapshot()).toEqual({ one: 'of one', three: 'of three' });
  legacy?.apply({ three: 'x', four: 'y' });
  expect(applied).toEqual([['three', 'x']]);
});

test('reloadAll tries all, and rejects with the first error', async () => {
  const tried: string[] = [];
  const owner = (name: string, error?: Error): Service =>
    service(name, {
      hasCertificates: true,
      reloadCertificates: async () => {
        tried.push(name);
        if (error !== undefined) throw error;
      },
    });
  await expect(reloadAll([owner('one', new Error('bad')), service('two'), owner('three')])).rejects.toThrow('bad');
  expect(tried).toEqual(['one', 'three']);
});

describe('adoptAmong', () => {
  const open = (address: string): SocketRecord => {
    const fd = openSync('/dev/null', 'r');
    return { service: 'group', kind: 'tcp', address, bound: address, fd };
  };
  const isOpen = ({ fd }: SocketRecord): boolean => {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  };
  const member = (one: Service, ready: Promise<void> = Promise.resolve(), isLeaving = false): GroupMember =>
    ({ service: one, ready, isLeaving }) as GroupMember;

  test('gives each member what has its address, when it is ready, and closes the rest', async () => {
    const adopted: [string, readonly string[]][] = [];
    const adopter = (name: string, address: string): Service =>
      service(name, {
        ...at(address),
        adopt: async (owner, sockets) => {
          adopted.push([`${name} ${owner}`, sockets.map((record) => record.address)]);
          for (const { fd } of sockets) closeSync(fd);
        },
      });
    const slow = Promise.withResolvers<void>();
    const failed = Promise.reject(new Error('cannot begin'));
    failed.catch(() => {});
    const records = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'].map(open);
    const members = [
      member(adopter('a', 'a:1')),
      member(adopter('b', 'b:1'), slow.promise),
      member(adopter('c', 'c:1'), failed),
      member(adopter('d', 'd:1'), Promise.resolve(), true),
    ];
    const done = adoptAmong(members, 3, records);
    await new Promise((resolve) => setImmediate(resolve));
    expect(adopted).toEqual([['a 3', ['a:1']]]);
    slow.resolve();
    await done;
    expect(adopted).toEqual([
      ['a 3', ['a:1']],
      ['b 3', ['b:1']],
    ]);
    expect(records.map(isOpen)).toEqual([false, false, false, false, false]);
  });
});

describe('surrenderAll and receiveAmong', () => {
  /** Says a word on its port, or hears one. */
  const talker = (name: string, heard: string[] = []): Service =>
    service(name, {
      surrender: async (port: MessagePort | undefined) => {
        port?.postMessage(`from ${name}`);
        port?.close();
      },
      receive: (port: MessagePort) =>
        new Promise((resolve) => {
          port.on('message', (word: string) => heard.push(`${name}: ${word}`));
          port.on('close', resolve);
        }),
    });

  test('each member has a way to its copy in the other thread', async () => {
    const { port1, port2 } = new MessageChannel();
    const heard: string[] = [];
    const copies = [talker('two', heard), service('mute'), talker('one', heard)];
    const received = receiveAmong(() => copies, port2);
    await surrenderAll([talker('one'), service('mute'), talker('two'), talker('gone')], port1);
    await received;
    expect(heard.toSorted()).toEqual(['one: from one', 'two: from two']);
  });

  test('without a port members only finish with their sockets', async () => {
    const ports: unknown[] = [];
    await surrenderAll([service('one', { surrender: async (port) => void ports.push(port) })], undefined);
    expect(ports).toEqual([undefined]);
  });

  test('receiveAmong rejects when the other thread ends too soon', async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    const received = receiveAmong(() => [], port2);
    port1.close();
    await expect(received).rejects.toThrow('ended before the last one');
  });
});
