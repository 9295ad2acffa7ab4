/**
 * Origins that are down, die, or leave stale connections in the pool: quick 502, and retries only where they are safe
 * (RFC 9110 section 9.2.2, RFC 9112 sections 9.2 and 9.3.1).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { type Arrival, type OriginConnection, plainAnswer } from '../src/recording-origin.ts';
import { PROBE_TARGET, Rig } from '../src/rig.ts';
import { get } from '../src/wire-client.ts';
import type { WireResponse } from '../src/wire-reader.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  rig.endTest();
  await rig.origin.breakAll();
});
afterAll(() => rig?.stop());

const OK = plainAnswer();

/** Leaves exactly one idle connection in the pool and returns it. */
async function warm(): Promise<OriginConnection> {
  await rig.origin.hangUp();
  await rig.expectService();
  const connection = rig.origin.arrivals.at(-1)?.connection as OriginConnection;
  rig.origin.arrivals = [];
  return connection;
}

function request(method: string, body = ''): string {
  return head(`${method} /work HTTP/1.1`, 'Host: h.example', `Content-Length: ${body.length}`) + body;
}

async function exchange(bytes: string, method = 'GET'): Promise<WireResponse> {
  const client = await rig.request(bytes, { methods: [method] });
  return client.answer();
}

function work(): readonly Arrival[] {
  return rig.origin.arrivals.filter(({ request: { target } }) => target !== PROBE_TARGET);
}

describe('an origin that is down', () => {
  it('is a 502 within a second, and served again as soon as it is back', async () => {
    await rig.origin.shut();
    try {
      const before = performance.now();
      expect((await exchange(get('/down'))).status).toBe(502);
      expect(performance.now() - before).toBeLessThan(1_000);
      expect((await exchange(request('POST', 'hello'))).status).toBe(502);
    } finally {
      await rig.origin.reopen();
    }
    expect((await exchange(get('/up'))).status).toBe(200);
  });

  it('leaves a client connection usable or closed, never half', async () => {
    await rig.origin.shut();
    const client = await rig.request(get('/down'));
    try {
      expect((await client.answer()).status).toBe(502);
    } finally {
      await rig.origin.reopen();
    }
    client.send(get('/up'));
    await client.wire.until(() => client.answers.length > 1 || client.ending !== undefined, 'an answer or the end');
    expect(client.answers.slice(1).map(({ status }) => status)).toEqual(client.ending ? [] : [200]);
  });

  it('that was restarted with connections in the pool costs no client an error', async () => {
    await warm();
    await rig.origin.shut('fin');
    await rig.origin.reopen();
    expect((await exchange(get('/after'))).status).toBe(200);
  });
});

describe('a pooled connection that turns out dead', () => {
  const dies =
    (stale: OriginConnection, how: 'fin' | 'reset') =>
    (arrival: Arrival): void => {
      if (arrival.connection !== stale) OK(arrival);
      else if (how === 'fin') stale.wire.finish();
      else stale.wire.reset();
    };

  it.each([
    ['GET', 'reset'],
    ['GET', 'fin'],
    ['HEAD', 'reset'],
    ['OPTIONS', 'reset'],
    ['PUT', 'reset'],
    ['DELETE', 'fin'],
  ] as const)('%s is sent again after %s, once', async (method, how) => {
    const stale = await warm();
    rig.origin.answer = dies(stale, how);
    const body = method === 'PUT' ? 'hello' : '';
    expect((await exchange(request(method, body), method)).status).toBe(200);
    expect(work().map((arrival) => arrival.connection === stale)).toEqual([true, false]);
    for (const arrival of work()) expect(arrival.request.body.bytes().toString('latin1')).toBe(body);
  });

  it.each([
    ['POST', 'reset'],
    ['POST', 'fin'],
    ['PATCH', 'reset'],
    ['FOO', 'reset'],
  ] as const)('%s is not sent again after %s', async (method, how) => {
    const stale = await warm();
    rig.origin.answer = dies(stale, how);
    expect((await exchange(request(method, 'hello'))).status).toBe(502);
    await rig.expectService();
    expect(work().length, 'executions').toBe(1);
  });

  it('PUT with more body than is kept for a replay is not sent again', async () => {
    const stale = await warm();
    rig.origin.answer = dies(stale, 'reset');
    expect((await exchange(request('PUT', 'x'.repeat(200_000)))).status).toBe(502);
    expect(work().length, 'executions').toBe(1);
  });

  it('that was ended while idle is not used at all, not even for POST', async () => {
    await warm();
    await rig.origin.hangUp();
    expect((await exchange(request('POST', 'hello'))).status).toBe(200);
    expect(work().length, 'executions').toBe(1);
  });

  it('GET gets through a whole pool of them', async () => {
    await rig.origin.hangUp();
    const held: Arrival[] = [];
    rig.origin.answer = (arrival) => held.push(arrival);
    const clients = await Promise.all(Array.from({ length: 5 }, () => rig.request(get(PROBE_TARGET))));
    await rig.origin.until(() => held.length === 5, 'five requests at once');
    for (const arrival of held) OK(arrival);
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    const stale = new Set(held.map(({ connection }) => connection));
    rig.origin.answer = (arrival) => {
      if (stale.has(arrival.connection)) arrival.connection.wire.reset();
      else OK(arrival);
    };
    expect((await exchange(get('/work'))).status).toBe(200);
  });
});

describe('an origin that closes after every answer', () => {
  it('without saying so: no GET and no POST fails because of it', async () => {
    rig.origin.answer = (arrival) => {
      OK(arrival);
      arrival.connection.wire.finish();
    };
    const client = await rig.connect();
    const statuses: number[] = [];
    for (let index = 0; index < 100; index++) {
      client.send(index % 2 === 0 ? request('GET') : request('POST', 'hello'));
      statuses.push((await client.answer(index)).status);
    }
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(work().length, 'executions').toBe(100);
  });
});

describe('no retry', () => {
  it.each(['GET', 'POST'])('of %s that failed on a new connection', async (method) => {
    await rig.origin.hangUp();
    rig.origin.answer = ({ connection }) => connection.wire.reset();
    expect((await exchange(request(method))).status).toBe(502);
    expect(work().length, 'executions').toBe(1);
  });

  it.each([
    ['the first octet of an answer', 'H'],
    ['a status line', 'HTTP/1.1 200 OK\r\n'],
    ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['a malformed answer', 'nonsense\r\n\r\n'],
  ])('of GET after %s on a pooled connection', async (_name, bytes) => {
    const stale = await warm();
    rig.origin.answer = (arrival) => {
      if (arrival.connection !== stale) return OK(arrival);
      stale.send(bytes);
      stale.wire.finish();
    };
    expect((await exchange(request('GET'))).status).toBe(502);
    expect(work().length, 'executions').toBe(1);
  });

  it('of GET after a part of the body on a pooled connection: the client sees the cut', async () => {
    const stale = await warm();
    rig.origin.answer = () => {
      stale.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 50')}hello`);
      stale.wire.finish();
    };
    const client = await rig.request(get('/work'));
    await client.closed();
    expect(client.answers.map(({ status }) => status).filter((status) => status !== 502)).toEqual([]);
    expect(work().length, 'executions').toBe(1);
  });
});

describe('an idle connection on which bytes arrive', () => {
  it.each([
    ['a whole answer', `${head('HTTP/1.1 200 OK', 'Content-Length: 8')}poisoned`],
    ['408, as servers say before they close', head('HTTP/1.1 408 Request Timeout', 'Connection: close')],
    ['one octet', 'x'],
    ['an empty line', '\r\n'],
  ])('%s: it is never used again', async (_name, bytes) => {
    const idle = await warm();
    idle.send(bytes);
    await rig.origin.until(() => idle.isClosed, 'the end of the connection', 1_000);
    const answer = await exchange(get('/work'));
    expect(answer.body.bytes().toString('latin1')).toBe('ok');
    expect(work()[0]?.connection).not.toBe(idle);
  });
});

describe('an answer without end', () => {
  it('in the head: 502, and the origin is cut off', async () => {
    const line = `X-Endless: ${'x'.repeat(1_000)}\r\n`;
    const pour = (connection: OriginConnection): void => {
      if (connection.isClosed) return;
      connection.send(line);
      setImmediate(() => pour(connection));
    };
    rig.origin.answer = ({ connection }) => {
      connection.send('HTTP/1.1 200 OK\r\n');
      pour(connection);
    };
    expect((await exchange(get('/work'))).status).toBe(502);
    const { connection } = await rig.origin.arrival();
    await rig.origin.until(() => connection.isClosed, 'the end of the upstream connection');
  });

  it('in a chunk size: the client sees the cut, and the origin is cut off', async () => {
    const pour = (connection: OriginConnection): void => {
      if (connection.isClosed) return;
      connection.send('0'.repeat(1_000));
      setImmediate(() => pour(connection));
    };
    rig.origin.answer = ({ connection }) => {
      connection.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
      pour(connection);
    };
    const client = await rig.request(get('/work'));
    await client.closed();
    expect(client.answers.filter(({ status }) => status === 200)).toEqual([]);
    const { connection } = await rig.origin.arrival();
    await rig.origin.until(() => connection.isClosed, 'the end of the upstream connection');
  });
});
