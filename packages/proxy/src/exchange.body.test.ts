import { describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { TestBody, TestResponse, TestUpstream } from './testing.ts';

type Phases = Partial<ProxyPhases<unknown>>;
type BodyPhase = NonNullable<ProxyPhases<unknown>['responseBodyFilter']>;
type Name = 'requestBodyFilter' | 'upstreamResponseBodyFilter' | 'responseBodyFilter';

/** Phases with the given body filter, without Content-Length so that the body may change its length. */
function filtering(name: Name, filter: BodyPhase): Phases {
  return {
    [name]: filter,
    upstreamRequestFilter: (_session, head) => {
      head.removeHeader('Content-Length');
    },
    responseFilter: (_session, head) => {
      head.removeHeader('Content-Length');
    },
  };
}

/** Sends the body through the filter, and answers what came out at the other end. */
async function pass(name: Name, filter: BodyPhase, body: TestBody | undefined): Promise<string> {
  const echo: TestUpstream = ({ body: received }) => ({ body: received });
  if (name === 'requestBodyFilter') {
    const response = await openProxy(filtering(name, filter), { upstream: echo }).inject({ method: 'POST', body });
    expect(response).toMatchObject({ status: 200, complete: true });
    return response.text;
  }
  const response = await openProxy(filtering(name, filter), { upstream: () => ({ body }) }).inject();
  expect(response).toMatchObject({ status: 200, complete: true });
  return response.text;
}

const names: readonly Name[] = ['requestBodyFilter', 'upstreamResponseBodyFilter', 'responseBodyFilter'];
const ways: readonly [string, <T>(value: T) => T | Promise<T>][] = [
  ['synchronous', (value) => value],
  ['asynchronous', (value) => Promise.resolve(value)],
];

describe.each(names)('Exchange: %s', (name) => {
  describe.each(ways)('%s', (_how, answer) => {
    test.each<[string, TestBody | undefined, string[]]>([
      ['a body with Content-Length', 'abc', ['abc', '- end']],
      ['a body in chunks', ['a', 'bc', 'd'], ['a', 'bc', 'd', '- end']],
      ['an empty body', '', ['- end']],
      ['an empty body in chunks', [], ['- end']],
    ])('sees %s, and the end exactly once', async (_what, body, expected) => {
      const seen: string[] = [];
      const text = await pass(
        name,
        (_session, piece, end) => {
          seen.push(`${piece?.toString() ?? '-'}${end ? ' end' : ''}`);
          return answer(undefined);
        },
        body,
      );
      expect(seen).toEqual(expected);
      expect(text).toBe(expected.slice(0, -1).join(''));
    });

    test('replaces pieces', async () => {
      const upper: BodyPhase = (_session, piece) =>
        answer(piece === undefined ? undefined : Buffer.from(piece.toString().toUpperCase()));
      expect(await pass(name, upper, ['ab', 'cd'])).toBe('ABCD');
    });

    test('drops pieces', async () => {
      const drop: BodyPhase = (_session, piece) => answer(piece?.toString() === 'b' ? Buffer.alloc(0) : undefined);
      expect(await pass(name, drop, ['a', 'b', 'c'])).toBe('ac');
    });

    test('adds to the end', async () => {
      const add: BodyPhase = (_session, _piece, end) => answer(end ? Buffer.from('!') : undefined);
      expect(await pass(name, add, ['a', 'b'])).toBe('ab!');
      expect(await pass(name, add, 'ab')).toBe('ab!');
      expect(await pass(name, add, [])).toBe('!');
    });

    test('keeps everything for the end', async () => {
      const kept: Buffer[] = [];
      const keep: BodyPhase = (_session, piece, end) => {
        if (piece !== undefined) kept.push(piece);
        return answer(end ? Buffer.concat(kept) : new Uint8Array(0));
      };
      expect(await pass(name, keep, ['a', 'b', 'c'])).toBe('abc');
    });

    test('gets bytes that are its own', async () => {
      const kept: Buffer[] = [];
      const scramble: BodyPhase = (_session, piece) => {
        if (piece !== undefined) kept.push(piece);
        return answer(undefined);
      };
      expect(await pass(name, scramble, ['a'.repeat(9_000), 'b'.repeat(9_000)])).toHaveLength(18_000);
      expect(kept.map((piece) => piece.subarray(0, 1).toString()).join('')).toMatch(/^a+b+$/);
    });

    test('refuses answers that are not bytes', async () => {
      const wrong = (() => answer('text')) as unknown as BodyPhase;
      const proxy = openProxy(filtering(name, wrong), { upstream: () => ({ body: 'x' }) });
      await proxy.inject({ method: 'POST', body: 'x' });
      expect(String(proxy.logs[0]?.facts.error)).toContain(`${name} answered string: expected bytes`);
    });
  });

  test('that is slow keeps the order, and the pieces wait outside', async () => {
    let inside = 0;
    let most = 0;
    const slow: BodyPhase = async (_session, piece) => {
      most = Math.max(most, ++inside);
      // Pieces that come later would overtake: the first ones take the most turns.
      for (let turns = piece?.toString().startsWith('0') === true ? 20 : 1; turns > 0; turns -= 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      inside -= 1;
    };
    const body = Array.from({ length: 30 }, (_, at) => `${at} `);
    expect(await pass(name, slow, body)).toBe(body.join(''));
    expect(most).toBe(1);
  });

  test('that shortens a body without removing Content-Length breaks the message', async () => {
    const shorten: Phases = { [name]: (_session: unknown, piece?: Buffer) => piece?.subarray(1) };
    const proxy = openProxy(shorten, { upstream: () => ({ body: 'abc' }) });
    const response = await proxy.inject({ method: 'POST', body: 'abc' });
    if (name === 'requestBodyFilter') expect(response).toMatchObject({ status: 500, connectionClosed: true });
    else expect(response).toMatchObject({ status: 200, text: 'bc', complete: false, connectionClosed: true });
    expect(proxy.logs).toMatchObject([{ facts: { error: expect.stringContaining('PrematureBodyEnd') } }]);
  });

  test.each(ways)(
    'that extends a body without removing Content-Length breaks the message (%s)',
    async (_how, answer) => {
      const double: BodyPhase = (_session, piece) =>
        answer(piece === undefined ? piece : Buffer.concat([piece, piece]));
      const proxy = openProxy({ [name]: double }, { upstream: () => ({ body: 'abc' }) });
      const response = await proxy.inject({ method: 'POST', body: 'abc' });
      if (name === 'requestBodyFilter') expect(response).toMatchObject({ status: 500, connectionClosed: true });
      else expect(response).toMatchObject({ status: 200, text: '', complete: false, connectionClosed: true });
      expect(proxy.logs).toMatchObject([
        { facts: { error: expect.stringContaining('longer than its Content-Length') } },
      ]);
    },
  );
});

describe('Exchange: both response filters', () => {
  test.each(ways)('run one after the other, %s', async (_how, answer) => {
    const proxy = openProxy(
      {
        upstreamResponseBodyFilter: (_s, piece, end) =>
          answer(piece === undefined ? Buffer.from('1') : Buffer.from(`<${piece}>${end ? '$' : ''}`)),
        responseBodyFilter: (_s, piece, end) => answer(Buffer.from(`[${piece ?? ''}]${end ? '$' : ''}`)),
        responseFilter: (_s, head) => {
          head.removeHeader('Content-Length');
        },
      },
      { upstream: () => ({ body: ['a', 'b'] }) },
    );
    expect((await proxy.inject()).text).toBe('[<a>][<b>][1]$');
  });

  test.each(['HEAD 200', 'GET 204', 'GET 304'])('see the end once for %s, which has no body', async (what) => {
    const [method, status] = what.split(' ') as [string, string];
    const calls: string[] = [];
    const filter: BodyPhase = (_session, piece, end) => {
      calls.push(`${piece?.length ?? '-'} ${end}`);
      return Buffer.from('must not be sent');
    };
    const proxy = openProxy(
      { upstreamResponseBodyFilter: filter, responseBodyFilter: filter },
      { upstream: () => ({ status: Number(status), headers: status === '204' ? {} : { 'Content-Length': '10' } }) },
    );
    const client = proxy.connect();
    const response = await client.inject({ method });
    expect(response).toMatchObject({ status: Number(status), text: '', complete: true, connectionClosed: false });
    expect(calls).toEqual(['- true', '16 true']);
    expect(response.headers.get('content-length')).toBe(status === '204' ? undefined : '10');
    // Nothing of it is left on the connection.
    expect(await client.inject({ method })).toMatchObject({ status: Number(status) });
  });

  test('see the bytes of HTTP/1.0 and close-delimited responses, too', async () => {
    const proxy = openProxy(
      {
        responseBodyFilter: (_s, piece) =>
          piece === undefined ? undefined : Buffer.from(piece.toString().toUpperCase()),
      },
      { upstream: () => ({ raw: 'HTTP/1.0 200 OK\r\n\r\nuntil the end', close: true }) },
    );
    expect(await proxy.inject()).toMatchObject({ text: 'UNTIL THE END', complete: true, connectionClosed: false });
  });
});

describe('Exchange: requestBodyFilter of a request without a body', () => {
  test('may make one', async () => {
    const proxy = openProxy(
      { requestBodyFilter: (_s, _piece, end) => (end ? Buffer.from('made') : undefined) },
      { upstream: ({ method, body, headers }) => ({ body: `${method} ${body} ${headers.get('content-length')}` }) },
    );
    expect((await proxy.inject({ method: 'POST' })).text).toBe('POST made 4');
  });

  test('leaves GET as it is when it makes none', async () => {
    const proxy = openProxy(
      { requestBodyFilter: () => undefined },
      { upstream: ({ headers }) => ({ body: `${headers.get('content-length')} ${headers.get('transfer-encoding')}` }) },
    );
    expect((await proxy.inject()).text).toBe('undefined undefined');
  });
});

describe('Exchange: bodies without filters', () => {
  const sizes = [1, 100, 8_192, 8_193, 70_000, 400_000];

  test.each(sizes)('%i bytes pass both ways, with Content-Length and in chunks', async (size) => {
    const bytes = Buffer.alloc(size, 'abcdefghij');
    const proxy = openProxy(
      {},
      { upstream: ({ body, headers }) => (headers.has('Content-Length') ? { body } : { body: [body] }) },
    );
    const client = proxy.connect();
    for (const body of [bytes, [bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]]) {
      const response = await client.inject({ method: 'POST', body });
      expect(response).toMatchObject({ status: 200, complete: true, connectionClosed: false });
      expect(response.body.equals(bytes)).toBe(true);
      expect(response.headers.has('Content-Length')).toBe(!Array.isArray(body));
    }
    expect(proxy.upstream.connections).toHaveLength(1);
  });

  test('a response whose Content-Length a filter removes is sent in chunks', async () => {
    const proxy = openProxy(
      {
        responseFilter: (_s, head) => {
          head.removeHeader('Content-Length');
        },
      },
      { upstream: () => ({ body: 'abc' }) },
    );
    const response = await proxy.inject();
    expect(response).toMatchObject({ text: 'abc', complete: true, connectionClosed: false });
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
  });

  test('a request whose Content-Length a filter removes is sent in chunks', async () => {
    const proxy = openProxy(
      {
        upstreamRequestFilter: (_s, head) => {
          head.removeHeader('Content-Length');
        },
      },
      { upstream: ({ body, headers }) => ({ body: `${headers.get('transfer-encoding')} ${body}` }) },
    );
    expect((await proxy.inject({ method: 'POST', body: 'abc' })).text).toBe('chunked abc');
  });

  test('Content-Length that a filter puts on a request without a body is an error, not a wait', async () => {
    const proxy = openProxy({
      upstreamRequestFilter: (_s, head) => {
        head.insertHeader('Content-Length', '5');
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
    expect(proxy.upstream.requests).toEqual([]);
  });

  test('a final response that a filter turns into an informational one is an error', async () => {
    const proxy = openProxy(
      {
        responseFilter: (_s, head) => {
          head.status = 103;
        },
      },
      { upstream: () => ({ body: 'abc' }) },
    );
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
  });
});

describe('Exchange: a response that breaks', () => {
  const cuts: readonly [string, TestUpstream][] = [
    ['with Content-Length, by FIN', () => ({ body: 'half', cut: 'close' })],
    ['with Content-Length, by RST', () => ({ body: 'half', cut: 'reset' })],
    ['in chunks, by FIN', () => ({ body: ['half'], cut: 'close' })],
    ['in chunks, by RST', () => ({ body: ['half'], cut: 'reset' })],
    [
      'in chunks, by a chunk that is none',
      () => ({ raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nx' }),
    ],
    ['until the close, by RST', () => ({ body: 'half', framing: 'close', cut: 'reset' })],
  ];

  test.each(cuts)('%s is seen by the client as cut', async (how, upstream) => {
    // All in one read: then an HTTP/1.0 client, for whom only RST is a cut, sees nothing but that.
    for (const version of how.endsWith('is none') ? (['1.1'] as const) : (['1.1', '1.0'] as const)) {
      const proxy = openProxy({}, { upstream });
      const response: TestResponse = await proxy.inject({ version });
      expect(response).toMatchObject({ status: 200, text: 'half', complete: false, connectionClosed: true });
      expect(proxy.stats.upstream.idle).toBe(0);
    }
  });

  test.each(cuts)('%s is seen as cut through filters', async (_how, upstream) => {
    const proxy = openProxy(
      filtering('responseBodyFilter', async () => undefined),
      { upstream },
    );
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'half', complete: false, connectionClosed: true });
  });

  test('a body until the close ends well with FIN', async () => {
    const proxy = openProxy({}, { upstream: () => ({ body: 'all', framing: 'close' }) });
    expect(await proxy.inject()).toMatchObject({ text: 'all', complete: true, connectionClosed: false });
    expect(await proxy.inject({ version: '1.0' })).toMatchObject({
      text: 'all',
      complete: true,
      connectionClosed: true,
    });
  });
});
