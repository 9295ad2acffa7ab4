import { once } from 'node:events';
import { closeSync, fstatSync, readFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { descriptorOf, type SysError } from '../src/index.ts';
import { backends } from './backends.ts';
import { Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.end());

describe.each(backends)('through $name', ({ name, sys, choice }) => {
  const codeOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as SysError).code;
    }
    return 'none';
  };

  test('dup keeps a file open under a second number that is closed on exec', () => {
    const file = sandbox.file('dup');
    const copy = sys.dup(file);
    closeSync(file);
    writeSync(copy, 'still open');
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${copy}`, 'utf8'))?.[1] ?? '';
    expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0);
    sys.close(copy);
    expect(readFileSync(sandbox.path('dup'), 'utf8')).toBe('still open');
    expect(() => fstatSync(copy)).toThrow(/EBADF/);
  });

  test('dup keeps a listening socket alive whose server has closed', async () => {
    const server = await sandbox.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.address() as net.AddressInfo;
    const copy = sys.dup(descriptorOf(server) as number);
    await new Promise((closed) => server.close(closed));
    const client = net.connect(port, '127.0.0.1'); // waits in the queue of the copy
    await once(client, 'connect');
    const second = net.createServer((socket) => socket.end('late but served'));
    second.listen({ fd: copy });
    const [answer] = (await once(client.setEncoding('utf8'), 'data')) as [string];
    expect(answer).toBe('late but served');
    await new Promise((closed) => second.close(closed));
  });

  test('dup2 gives a number another meaning', () => {
    const one = sandbox.file('one');
    const two = sandbox.file('two');
    sys.dup2(one, two);
    writeSync(two, 'goes to one');
    closeSync(one);
    closeSync(two);
    expect(readFileSync(sandbox.path('one'), 'utf8')).toBe('goes to one');
    expect(readFileSync(sandbox.path('two'), 'utf8')).toBe('');
  });

  test('dup2 of a file to stderr catches this process and its children', async () => {
    const file = sandbox.path('error.log');
    const { code, stderr } = await sandbox.run('redirect-stderr.ts', [file], { env: { CIRQUE_FFI: choice } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'before\n' });
    expect(readFileSync(file, 'utf8')).toBe('after\ninherited\n');
  });

  test('close, dup and dup2 fail with the name of the call and of the error', () => {
    expect(() => sys.close(100_000)).toThrow('close: EBADF (bad file descriptor)');
    expect(() => sys.dup(100_000)).toThrow(expect.objectContaining({ name: 'SysError', code: 'EBADF' }));
    expect(() => sys.dup2(100_000, 100_001)).toThrow('dup2: EBADF (bad file descriptor)');
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 32, '0', undefined])(
    'close, dup and dup2 refuse %s before C sees it',
    (value) => {
      const bad = value as number;
      for (const call of [() => sys.close(bad), () => sys.dup(bad), () => sys.dup2(bad, 1), () => sys.dup2(1, bad)]) {
        expect(call).toThrow(TypeError);
      }
    },
  );

  test('SysError has the code of its own call, whatever the memory does meanwhile', () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as (options?: object) => void;
    const file = sandbox.file('no-socket');
    sandbox.later(() => closeSync(file));
    const garbage: object[] = [];
    const wrong: string[] = [];
    for (let round = 0; round < 3000; round++) {
      if (round % 100 === 0) gc(round % 500 === 0 ? undefined : { type: 'minor' });
      garbage.push({ round, text: Buffer.alloc(round) });
      if (garbage.length > 50) garbage.length = 0;
      const codes = [
        codeOf(() => sys.close(100_000)),
        codeOf(() => sys.getSocketOption(file, 'SO_TYPE')),
        codeOf(() => sys.sendDatagram(sandbox.path('missing'), Buffer.from('x'))),
      ];
      if (codes.join() !== 'EBADF,ENOTSOCK,ENOENT') wrong.push(codes.join());
    }
    expect(wrong).toEqual([]);
  });

  test('loadSys works in worker threads, each with its own error number', async () => {
    const file = sandbox.file('threads');
    sandbox.later(() => closeSync(file));
    const start = () =>
      new Worker(new URL('./fixtures/in-worker.ts', import.meta.url), {
        workerData: file,
        env: { CIRQUE_FFI: choice },
        execArgv: [],
      });
    const workers = [start(), start()];
    const said = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as unknown));
    expect(said).toEqual([
      { backend: name, codes: ['EBADF'] },
      { backend: name, codes: ['EBADF'] },
    ]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(readFileSync(sandbox.path('threads'), 'utf8')).toBe('from a thread'.repeat(2));
    expect(codeOf(() => sys.close(100_000))).toBe('EBADF');
  });
});
