import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answers, WorkerChannel } from './worker-channel.ts';

const open: WorkerChannel[] = [];

function pair(
  answers: Answers,
  onFailed: (name: string, error: unknown) => void = () => {},
): { main: WorkerChannel; worker: WorkerChannel } {
  const { port1, port2 } = new MessageChannel();
  const ends = {
    main: new WorkerChannel(port1, {}, () => {}),
    worker: new WorkerChannel(port2, answers, onFailed),
  };
  open.push(ends.main, ends.worker);
  port1.ref();
  port2.ref();
  return ends;
}

afterEach(() => {
  for (const channel of open.splice(0)) channel.close();
});

describe('WorkerChannel', () => {
  it('answers calls with values, now and later', async () => {
    const { main } = pair({ double: (n: number) => n * 2, later: async (n: number) => n + 1 });
    expect(await main.call('double', 4)).toBe(8);
    expect(await main.call('later', 4)).toBe(5);
  });

  it('answers a call with the error of the function, type and sentence', async () => {
    const { main } = pair({
      fail: () => {
        throw CirqueError.internal('BindError', 'cannot listen on 127.0.0.1:1');
      },
    });
    await expect(main.call('fail')).rejects.toMatchObject({
      type: 'BindError',
      context: 'cannot listen on 127.0.0.1:1',
    });
  });

  it('rejects a call that nobody answers by its name', async () => {
    const { main } = pair({});
    await expect(main.call('nothing')).rejects.toThrow('nobody answers "nothing"');
  });

  it('rejects open and further calls when the other side is gone', async () => {
    const { main, worker } = pair({ never: () => new Promise(() => {}) });
    const call = main.call('never');
    worker.close();
    await expect(call).rejects.toThrow('the worker thread is gone');
    await expect(main.call('never')).rejects.toThrow('the worker thread is gone');
  });

  it('tells without an answer', async () => {
    const told = Promise.withResolvers<string>();
    const { main } = pair({ news: (text: string) => told.resolve(text) });
    main.tell('news', 'flip');
    expect(await told.promise).toBe('flip');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('reports what was told and %s, which nobody waits for', async (_, fail) => {
    const failed = Promise.withResolvers<[string, unknown]>();
    const { main } = pair({ fail }, (name, error) => failed.resolve([name, error]));
    main.tell('fail');
    expect(await failed.promise).toEqual(['fail', expect.objectContaining({ message: 'no' })]);
  });

  it('hearLast: what was said before the other side ended is heard at once', () => {
    const heard: string[] = [];
    const { port1, port2 } = new MessageChannel();
    const main = new WorkerChannel(port1, { news: (text: string) => heard.push(text) }, () => {});
    const worker = new WorkerChannel(port2, {}, () => {});
    for (const text of ['one', 'two']) worker.tell('news', text);
    worker.close();
    main.hearLast();
    main.close();
    expect(heard).toEqual(['one', 'two']);
  });

  it('moves what is to be transferred', async () => {
    const { port1, port2 } = new MessageChannel();
    const { main } = pair({ say: ({ port }: { port: MessagePort }) => port.postMessage('here') });
    const heard = new Promise((resolve) => port1.once('message', resolve));
    await main.call('say', { port: port2 }, [port2]);
    expect(await heard).toBe('here');
    port1.close();
  });
});
