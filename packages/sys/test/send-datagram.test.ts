import { DatagramReceiver } from '@cirque/testing/datagram-receiver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends } from './backends.ts';
import { Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.end());

describe.each(backends)('through $name', ({ sys, choice }) => {
  const receiver = (path: string) => {
    const made = new DatagramReceiver(path);
    sandbox.later(() => made.close());
    return made;
  };
  const longest = () => sandbox.path('p'.repeat(107 - sandbox.path('/').length));

  test.each([
    ['a path', () => sandbox.path('notify')],
    ['the longest path', longest],
    ['an abstract name', () => `@cirque-sys-test-${process.pid}-${choice}`],
  ])('sendDatagram to %s', (_, path) => {
    const socket = receiver(path());
    sys.sendDatagram(path(), Buffer.from('READY=1\nSTATUS=ok'));
    sys.sendDatagram(path(), Buffer.from('STOPPING=1'));
    expect([socket.receive(), socket.receive(), socket.receive()]).toEqual([
      'READY=1\nSTATUS=ok',
      'STOPPING=1',
      undefined,
    ]);
  });

  test('sendDatagram does not wait for a receiver whose queue is full', () => {
    const path = sandbox.path('slow');
    receiver(path);
    const fill = () => {
      for (let count = 0; count < 100_000; count++) sys.sendDatagram(path, Buffer.from('x'));
    };
    expect(fill).toThrow(expect.objectContaining({ name: 'SysError', syscall: 'sendmsg', code: 'EAGAIN' }));
  });

  test('sendDatagram fails where nobody receives', () => {
    const path = sandbox.path('closed');
    new DatagramReceiver(path).close();
    expect(() => sys.sendDatagram(path, Buffer.from('x'))).toThrow(/^sendmsg: ECONNREFUSED/);
    expect(() => sys.sendDatagram(sandbox.path('none'), Buffer.from('x'))).toThrow(/^sendmsg: ENOENT/);
    expect(() => sys.sendDatagram(`${longest()}p`, Buffer.from('x'))).toThrow(/^sendmsg: ENAMETOOLONG \(108 bytes/);
    expect(() => sys.sendDatagram('', Buffer.from('x'))).toThrow('path must be one of a unix socket');
    expect(() => sys.sendDatagram('a\0b', Buffer.from('x'))).toThrow('path must be one of a unix socket');
  });
});
