import { once } from 'node:events';
import { closeSync, readFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { descriptorOf } from '../src/index.ts';
import { receiveDescriptors } from '../src/pass-descriptors.ts';
import { backends, platform } from './backends.ts';
import { finished, Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.end());

describe.each(backends)('through $name', ({ sys, calls, choice }) => {
  const repeat = (descriptor: number, count: number) => Array.from({ length: count }, () => descriptor);

  function receiveAll(socket: number, count: number, chunk: number): { bytes: Buffer; descriptors: number[] } {
    const parts: Buffer[] = [];
    const descriptors: number[] = [];
    for (let length = 0; length < count; ) {
      const message = sys.receiveDescriptors(socket, chunk);
      if (message === undefined) throw new Error(`only ${length} of ${count} bytes`);
      parts.push(message.bytes);
      descriptors.push(...message.descriptors);
      length += message.bytes.length;
    }
    return { bytes: Buffer.concat(parts), descriptors };
  }

  test('sendDescriptors gives open files with their bytes', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('log');
    expect(sys.sendDescriptors(from, Buffer.from('a log'), [file])).toBe(5);
    closeSync(file);
    const message = sys.receiveDescriptors(to, 100);
    expect(message?.bytes.toString()).toBe('a log');
    expect(message?.descriptors).toEqual(sandbox.opened('log'));
    const [received = -1] = message?.descriptors ?? [];
    writeSync(received, 'written by number');
    sys.close(received);
    expect(readFileSync(sandbox.path('log'), 'utf8')).toBe('written by number');
    expect(sandbox.opened('log')).toEqual([]);
  });

  test('sendDescriptors hands a listening socket to another process', async () => {
    const path = sandbox.path('handover.sock');
    const handover = await sandbox.listen({ path });
    const listener = net.createServer();
    sandbox.later(() => listener.close());
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as net.AddressInfo;

    const child = sandbox.start('serve-received.ts', [path], { env: { CIRQUE_FFI: choice } });
    const end = finished(child);
    const [connection] = (await once(handover, 'connection')) as [net.Socket];
    sandbox.later(() => connection.destroy());
    sys.sendDescriptors(descriptorOf(connection) as number, Buffer.from('yours'), [descriptorOf(listener) as number]);
    await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, 'data'),
      end.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ]);
    await new Promise((closed) => listener.close(closed));

    const client = net.connect(port, '127.0.0.1').setEncoding('utf8');
    const [answer] = (await once(client, 'data')) as [string];
    expect(answer).toBe(`${child.pid} yours`);
    child.kill('SIGKILL');
    await end;
  });

  test('receiveDescriptors takes 253 at once, sendDescriptors refuses 254', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('many');
    sandbox.later(() => closeSync(file));
    expect(sys.sendDescriptors(from, Buffer.from('x'), repeat(file, 253))).toBe(1);
    const message = sys.receiveDescriptors(to, 10);
    expect(new Set(message?.descriptors).size).toBe(253);
    expect(sandbox.opened('many')).toHaveLength(254);
    for (const descriptor of message?.descriptors ?? []) sys.close(descriptor);

    expect(() => sys.sendDescriptors(from, Buffer.from('x'), repeat(file, 254))).toThrow(
      expect.objectContaining({ name: 'SysError', syscall: 'sendmsg', code: 'EINVAL' }),
    );
    expect(sys.receiveDescriptors(to, 10)).toBeUndefined();
  });

  test('receiveDescriptors keeps none of those it had no room for', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('cut');
    sandbox.later(() => closeSync(file));
    sys.sendDescriptors(from, Buffer.from('x'), repeat(file, 5));
    expect(() => receiveDescriptors(calls, platform, to, 10, 2)).toThrow(
      expect.objectContaining({ name: 'SysError', syscall: 'recvmsg', code: 'EMSGSIZE' }),
    );
    expect(sandbox.opened('cut')).toEqual([file]);
  });

  test('receiveDescriptors keeps none when the limit of open files is reached', async () => {
    const { stdout, stderr } = await sandbox.run('few-files.ts', [sandbox.path('file'), '200'], {
      env: { CIRQUE_FFI: choice },
      wrapper: ['/bin/sh', '-c', 'ulimit -n 150; exec "$0" "$@"'],
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'EMSGSIZE 1\n', stderr: '' });
  });

  test('receiveDescriptors gives descriptors that are closed on exec', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('exec');
    sandbox.later(() => closeSync(file));
    sys.sendDescriptors(from, Buffer.from('x'), [file]);
    const [received = 0] = sys.receiveDescriptors(to, 10)?.descriptors ?? [];
    sandbox.later(() => closeSync(received));
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${received}`, 'utf8'))?.[1] ?? '';
    expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0);
  });

  test('receiveDescriptors gives the rest of the bytes with the next call, without the descriptors', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('parts');
    sandbox.later(() => closeSync(file));
    sys.sendDescriptors(from, Buffer.from('0123456789'), [file]);
    const first = sys.receiveDescriptors(to, 4);
    for (const descriptor of first?.descriptors ?? []) sys.close(descriptor);
    const second = sys.receiveDescriptors(to, 100);
    expect([first?.bytes.toString(), first?.descriptors.length]).toEqual(['0123', 1]);
    expect([second?.bytes.toString(), second?.descriptors.length]).toEqual(['456789', 0]);
  });

  test('sendDescriptors says how much was taken, and EAGAIN when nothing was', async () => {
    const [from, to] = await sandbox.descriptors();
    const file = sandbox.file('big');
    sandbox.later(() => closeSync(file));
    const bytes = Buffer.alloc(32 * 1024 * 1024, 'abcdefg');
    const taken = sys.sendDescriptors(from, bytes, [file]);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(bytes.length);
    expect(() => sys.sendDescriptors(from, bytes, [file])).toThrow(expect.objectContaining({ code: 'EAGAIN' }));

    const received = receiveAll(to, taken, 10_000);
    expect(received.bytes.equals(bytes.subarray(0, taken))).toBe(true);
    expect(received.descriptors).toHaveLength(1);
    sys.close(received.descriptors[0] as number);
    expect(sys.receiveDescriptors(to, 10)).toBeUndefined();
  });

  test('receiveDescriptors tells nothing yet from the other side has closed', async () => {
    const [client, server] = await sandbox.pair();
    const to = descriptorOf(server) as number;
    expect(sys.receiveDescriptors(to, 10)).toBeUndefined();
    client.destroy();
    await once(client, 'close');
    expect(sys.receiveDescriptors(to, 10)).toEqual({ bytes: Buffer.alloc(0), descriptors: [] });
    expect(() => sys.sendDescriptors(to, Buffer.from('x'), [])).toThrow(expect.objectContaining({ code: 'EPIPE' }));
  });

  test('sendDescriptors refuses what no socket can send', async () => {
    const [from] = await sandbox.descriptors();
    expect(() => sys.sendDescriptors(from, Buffer.alloc(0), [1])).toThrow(/bytes must not be empty/);
    expect(() => sys.sendDescriptors(from, Buffer.from('x'), [1, Number.NaN])).toThrow(/descriptors\[1\].*got NaN/);
    expect(() => sys.sendDescriptors(from, Buffer.from('x'), [100_000])).toThrow(
      expect.objectContaining({ code: 'EBADF' }),
    );
    expect(() => sys.receiveDescriptors(from, 0)).toThrow(/maxBytes must be a whole number above 0, got 0/);
    const file = sandbox.file('no-socket');
    sandbox.later(() => closeSync(file));
    expect(() => sys.sendDescriptors(file, Buffer.from('x'), [])).toThrow(
      expect.objectContaining({ code: 'ENOTSOCK', message: expect.stringMatching(/^sendmsg: ENOTSOCK \(socket oper/) }),
    );
  });
});
