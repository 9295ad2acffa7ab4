/** The raw client and the scripted origin, against each other over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { byteByByte, LeakCheck, RawClient, SeededRandom, TestOrigin } from '../src/index.ts';

let leaks: LeakCheck;
const opened: { close(): Promise<void> }[] = [];

function track<T extends { close(): Promise<void> }>(resource: T): T {
  opened.push(resource);
  return resource;
}

async function connectTo(origin: TestOrigin): Promise<RawClient> {
  return track(await RawClient.connect(origin.address));
}

beforeEach(() => {
  leaks = LeakCheck.start();
});

afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close();
  await leaks.assertClean();
});

describe('RawClient', () => {
  test('sends exact bytes and collects exact bytes', async () => {
    const sent = new SeededRandom(1).bytes(100_000);
    const origin = track(
      await TestOrigin.listen(async (c) => c.send((await c.expect(/END$/)).slice(0, -3) && c.received)),
    );
    const client = await connectTo(origin);
    await client.send(sent);
    await client.send('END');
    await client.waitFor('END');
    expect(client.received.equals(Buffer.concat([sent, Buffer.from('END')]))).toBe(true);
  });

  test('waitFor takes text, bytes and expressions, and reads on behind the last match', async () => {
    const origin = track(await TestOrigin.listen([{ send: 'one\r\ntwo\r\n\xff\x00three' }]));
    const client = await connectTo(origin);
    expect(await client.waitFor('\r\n')).toBe('one\r\n');
    expect(await client.waitFor(/tw./g)).toBe('two');
    expect(await client.waitFor(Uint8Array.of(0xff, 0))).toBe('\r\n\xff\x00');
    expect(await client.waitFor(/three$/)).toBe('three');
    expect([client.unread, client.text]).toEqual(['', 'one\r\ntwo\r\n\xff\x00three']);
  });

  test('waitFor says what it waited for and what came instead, in time or at the end of the connection', async () => {
    const origin = track(await TestOrigin.listen([{ send: 'HTTP/1.1 400' }, { expect: 'x' }, { do: 'close' }]));
    const client = await connectTo(origin);
    await client.waitFor('HTTP/1.1 4');
    await expect(client.waitFor('200', 10)).rejects.toThrow(
      'nothing within 10 ms while waiting for "200"; unread so far: "00"',
    );
    await client.send('x');
    await expect(client.waitFor(/200/)).rejects.toThrow('connection closed (end) while waiting for /200/');
  });

  test('waitForClose tells FIN from RST from its own close', async () => {
    const origin = track(await TestOrigin.listen([[{ do: 'end' }], [{ expect: 'go' }, { do: 'reset' }], []]));
    const [ended, reset, local] = [await connectTo(origin), await connectTo(origin), await connectTo(origin)];
    expect(await ended.waitForClose()).toBe('end');
    await reset.send('go');
    expect(await reset.waitForClose()).toBe('reset');
    await expect(local.waitForClose(10)).rejects.toThrow('waiting for the connection to close');
    await local.close();
    expect(local.closeKind).toBe('local');
  });

  test('end half-closes: the answer still comes', async () => {
    const origin = track(
      await TestOrigin.listen(async (c) => {
        await c.waitForClose();
        await c.send(`got ${c.text}`);
        c.end();
      }),
    );
    const client = await connectTo(origin);
    await client.send('all');
    client.end();
    expect(await client.waitFor('got all')).toBe('got all');
    expect(await client.waitForClose()).toBe('end');
  });

  test('reset reaches the server as a reset', async () => {
    const origin = track(await TestOrigin.listen([]));
    const client = await connectTo(origin);
    const connection = await origin.connection();
    client.reset();
    expect(await connection.waitForClose()).toBe('reset');
  });

  test('sendChunks delivers in order, and pause makes the server wait', async () => {
    const origin = track(
      await TestOrigin.listen([{ expect: 'abc' }, { send: Buffer.alloc(8_000_000, 0x2e) }, { send: '!' }]),
    );
    const client = await connectTo(origin);
    client.pause();
    await client.sendChunks(byteByByte('abc'));
    const connection = await origin.connection();
    await expect.poll(() => connection.socket.writableLength).toBeGreaterThan(0);
    client.resume();
    await client.waitFor('!');
    expect(client.received.length).toBe(8_000_001);
  });

  test('connect rejects when nobody listens', async () => {
    const origin = await TestOrigin.listen([]);
    await origin.stopListening();
    await expect(RawClient.connect(origin.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await origin.close();
  });
});

describe('TestOrigin', () => {
  test('follows one script per connection, the last one for all further ones', async () => {
    const origin = track(await TestOrigin.listen([[{ send: 'first' }], [{ delayMs: 1 }, { send: 'other' }]]));
    const answers: string[] = [];
    for (let i = 0; i < 3; i += 1) answers.push(await (await connectTo(origin)).waitFor(/first|other/));
    expect(answers).toEqual(['first', 'other', 'other']);
    expect((await origin.connection(3)).index).toBe(2);
  });

  test('repeats steps until the client closes between two rounds', async () => {
    const origin = await TestOrigin.listen([{ repeat: [{ expect: '\r\n\r\n' }, { send: 'ok;' }] }]);
    const client = await connectTo(origin);
    await client.send('a\r\n\r\nb\r\n\r\n');
    await client.waitFor('ok;ok;');
    await client.send('c\r\n\r\n');
    await client.waitFor('ok;');
    client.end();
    const connection = await origin.connection();
    expect(await connection.waitForClose()).toBe('end');
    expect(connection.text).toBe('a\r\n\r\nb\r\n\r\nc\r\n\r\n');
    await origin.close();
  });

  test('close throws what a script waited for in vain', async () => {
    const origin = await TestOrigin.listen([{ expect: 'POST' }]);
    const client = await connectTo(origin);
    await client.send('GET /');
    client.end();
    await expect.poll(() => origin.failures.length).toBe(1);
    await expect(origin.close()).rejects.toThrow(
      'script of connection 0 of the origin: connection closed (end) while waiting for "POST"; unread so far: "GET /"',
    );
  });

  test('close throws all failures when there are several', async () => {
    const origin = await TestOrigin.listen(() => {
      throw new Error('no');
    });
    await connectTo(origin);
    await connectTo(origin);
    await expect.poll(() => origin.failures.length).toBe(2);
    await expect(origin.close()).rejects.toThrow(AggregateError);
  });

  test('close cuts scripts short without calling that a failure', async () => {
    const origin = await TestOrigin.listen([[{ expect: 'never' }], [{ delayMs: 60_000 }]]);
    await connectTo(origin);
    await connectTo(origin);
    await origin.connection(2);
    await origin.close();
    expect(origin.failures).toEqual([]);
  });

  test('sending to a client that is gone is no failure', async () => {
    const origin = track(
      await TestOrigin.listen([{ expect: 'x' }, { delayMs: 60_000 }, { send: 'late' }, { send: 'later' }]),
    );
    const client = await connectTo(origin);
    await client.send('x');
    const connection = await origin.connection();
    await expect.poll(() => connection.unread).toBe('');
    client.reset();
    expect(await connection.waitForClose()).toBe('reset');
  });

  test('connection rejects when fewer come than asked for', async () => {
    const origin = track(await TestOrigin.listen([]));
    await connectTo(origin);
    await expect(origin.connection(2, 20)).rejects.toThrow('expected 2 connections, got 1, none more came in time');
  });

  test('listens on a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
    const origin = track(await TestOrigin.listen([{ send: 'hi' }], { path: join(folder, 'origin.sock') }));
    expect(await (await connectTo(origin)).waitFor('hi')).toBe('hi');
    expect(() => origin.port).toThrow('it has no port');
    rmSync(folder, { recursive: true });
  });
});
