import { byteByByte } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { type OpenSession, openSession, request, response, settle } from '../test/open-session.ts';

const GET_HEAD = 'GET /path?query HTTP/1.1\r\nHost: origin\r\n\r\n';

/** Sends the request; feeds the response, in one piece and byte by byte; tells what was reported, and the fate. */
async function answers(
  bytes: string,
  method = 'GET',
  thenEnd = false,
): Promise<{ lines: string[]; body: string; fate: string[] }> {
  const results = [];
  for (const chunks of [[bytes], byteByByte(bytes).map((chunk) => chunk.toString('latin1'))]) {
    const { session, recorder, send, sendEnd, fate } = openSession();
    session.writeHead(request(method), 0);
    await settle();
    for (const chunk of chunks) {
      if (chunk !== '') await send(chunk);
    }
    if (thenEnd) await sendEnd();
    if (recorder.lines.at(-1)?.startsWith('end') === true) session.release();
    results.push({ lines: merged(recorder.lines), body: recorder.body, fate });
  }
  expect(results[1]).toEqual(results[0]);
  return results[0] as { lines: string[]; body: string; fate: string[] };
}

/** Body pieces as one line, however they were cut. */
function merged(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const isBody = line.startsWith('body');
    if (!isBody) out.push(line);
    else if (out.at(-1) !== 'body') out.push('body');
  }
  return out;
}

const FRAMINGS: [name: string, bytes: string, method: string, lines: string[], body: string, fate: string][] = [
  ['Content-Length', response('hello'), 'GET', ['head 200 5', 'body', 'end'], 'hello', 'reusable'],
  ['Content-Length 0', response(), 'GET', ['head 200 0', 'end'], '', 'reusable'],
  ['equal Content-Lengths', lengths('5', '5', 'hello'), 'GET', ['head 200 5', 'body', 'end'], 'hello', 'reusable'],
  ['different Content-Lengths', lengths('5', '6', 'hello'), 'GET', [], '', 'closed'],
  ['Content-Length that is no number', lengths('5x', undefined, 'hello'), 'GET', [], '', 'closed'],
  ['chunked', chunked(), 'GET', ['head 200 unknown', 'body', 'end'], 'helloworld', 'reusable'],
  [
    'chunked with trailers',
    chunked('X-T: 1\r\n'),
    'GET',
    ['head 200 unknown', 'body', 'end {"x-t":"1"}'],
    'helloworld',
    'reusable',
  ],
  [
    'both, chunked wins',
    chunked('', 'Content-Length: 3\r\n'),
    'GET',
    ['head 200 unknown', 'body', 'end'],
    'helloworld',
    'closed',
  ],
  ['chunked in HTTP/1.0', chunked().replace('1.1', '1.0'), 'GET', [], '', 'closed'],
  ['HEAD', response('hello').slice(0, -5), 'HEAD', ['head 200 0', 'end'], '', 'reusable'],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET', ['head 204 0', 'end'], '', 'reusable'],
  [
    '304 with Content-Length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    'GET',
    ['head 304 0', 'end'],
    '',
    'reusable',
  ],
  ['Connection: close', response('a', 'Connection: close\r\n'), 'GET', ['head 200 1', 'body', 'end'], 'a', 'closed'],
  ['HTTP/1.0', response('a').replace('1.1', '1.0'), 'GET', ['head 200 1', 'body', 'end'], 'a', 'closed'],
  [
    'HTTP/1.0 keep-alive',
    response('a', 'Connection: keep-alive\r\n').replace('1.1', '1.0'),
    'GET',
    ['head 200 1', 'body', 'end'],
    'a',
    'reusable',
  ],
  ['not HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'GET', [], '', 'closed'],
  ['status 600', 'HTTP/1.1 600 Odd\r\n\r\n', 'GET', [], '', 'closed'],
  [
    'bad chunk size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
    'GET',
    ['head 200 unknown'],
    '',
    'closed',
  ],
  ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n', 'GET', [], '', 'closed'],
  ['unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'GET', [], '', 'closed'],
  ['101 unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 'GET', [], '', 'closed'],
];

function lengths(one: string, other: string | undefined, body: string): string {
  const second = other === undefined ? '' : `Content-Length: ${other}\r\n`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${one}\r\n${second}\r\n${body}`;
}

function chunked(trailers = '', fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;x=y\r\nworld\r\n0\r\n${trailers}\r\n`;
}

test.each(FRAMINGS)('Http1ClientSession: a response framed by %s', async (_, bytes, method, lines, body, fate) => {
  const result = await answers(bytes, method);
  const expected = lines.at(-1)?.startsWith('end') === true ? lines : [...lines, 'error InvalidHTTPHeader'];
  expect(result.lines.map((line) => line.replace(/^error .*/, 'error InvalidHTTPHeader'))).toEqual(expected);
  expect(result.body).toBe(body);
  expect(result.fate).toEqual([fate]);
});

test('Http1ClientSession: a response that ends with the connection', async () => {
  const result = await answers('HTTP/1.1 200 OK\r\n\r\nhello', 'GET', true);
  expect(result).toEqual({ lines: ['head 200 unknown', 'body', 'end'], body: 'hello', fate: ['closed'] });
});

test.each([
  ['nothing', '', []],
  ['part of a head', 'HTTP/1.1 200 OK\r\nContent-Le', []],
  ['an interim response', 'HTTP/1.1 103 Early Hints\r\n\r\n', ['head 103 0']],
  ['part of a body', response('hello').slice(0, -1), ['head 200 5', 'body']],
  ['part of a chunked body', chunked().slice(0, -2), ['head 200 unknown', 'body']],
])('Http1ClientSession: the upstream closes after %s', async (_, bytes, lines) => {
  const result = await answers(bytes, 'GET', true);
  expect(result.lines).toEqual([...lines, 'error ConnectionClosed']);
  expect(result.fate).toEqual(['closed']);
});

describe('Http1ClientSession: interim responses', () => {
  const interim = (status: number): string => `HTTP/1.1 ${status} X\r\nContent-Length: 7\r\nLink: </a>\r\n\r\n`;

  test('are reported, their framing fields mean nothing', async () => {
    const result = await answers(`${interim(100)}${interim(103)}${response('hello')}`);
    expect(result).toEqual({
      lines: ['head 100 0', 'head 103 0', 'head 200 5', 'body', 'end'],
      body: 'hello',
      fate: ['reusable'],
    });
  });

  test('20 are accepted', async () => {
    const result = await answers(interim(103).repeat(20) + response());
    expect(result.lines.slice(19)).toEqual(['head 103 0', 'head 200 0', 'end']);
  });

  test('21 are not', async () => {
    const result = await answers(interim(103).repeat(21) + response());
    expect(result.lines.slice(19)).toEqual(['head 103 0', 'error InvalidHTTPHeader']);
    expect(result.fate).toEqual(['closed']);
  });
});

test('Http1ClientSession: what arrives together is flushed once, at its end', async () => {
  const { session, recorder, send } = openSession();
  recorder.withFlush = true;
  session.writeHead(request(), 0);
  await settle();
  await send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await send('world');
  expect(recorder.lines).toEqual(['head 100 0', 'head 200 10', 'body hello', 'flush', 'body world', 'end']);
});

test('Http1ClientSession: counts bytes of the body, not of its framing', async () => {
  const { session, send } = openSession();
  session.writeHead(request(), 0);
  await settle();
  await send(chunked());
  expect(session.bodyBytesReceived).toBe(10);
});

test('Http1ClientSession: limits of the peer apply to its responses', async () => {
  const { session, recorder, send } = openSession({ limits: { maxFields: 1 } });
  session.writeHead(request(), 0);
  await settle();
  await send('HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n');
  expect(recorder.lines).toEqual(['error InvalidHTTPHeader']);
});

describe('Http1ClientSession: a connection is used again', () => {
  async function roundTrip(open: OpenSession, bytes = response('a')): Promise<void> {
    open.session.writeHead(request(), 0);
    await settle();
    await open.send(bytes);
  }

  test('with everything of the exchange before forgotten', async () => {
    const open = openSession();
    expect(open.session.reused).toBe(false);
    await roundTrip(open);
    open.session.release();
    const recorder = open.next();
    expect(open.session).toMatchObject({
      reused: true,
      responseStarted: false,
      bodyBytesSent: 0,
      bodyBytesReceived: 0,
    });
    await roundTrip(open, chunked());
    expect(recorder.lines.at(-1)).toBe('end');
    expect(open.received()).toBe(GET_HEAD + GET_HEAD);
    open.session.release();
    expect(open.fate).toEqual(['reusable', 'reusable']);
  });

  test('in the call that reports the end', async () => {
    const open = openSession();
    let second: string[] = [];
    open.recorder.onLine = (line) => {
      if (line !== 'end') return;
      open.session.release();
      second = open.next().lines;
      open.session.writeHead(request(), 0);
    };
    await roundTrip(open);
    await open.send(response('b'));
    expect(second).toEqual(['head 200 1', 'body b', 'end']);
  });

  test('but not when a byte is left over', async () => {
    const open = openSession();
    await roundTrip(open, `${response('a')}H`);
    expect(open.recorder.lines).toEqual(['head 200 1', 'body a', 'end']);
    open.session.release();
    expect(open.fate).toEqual(['closed']);
  });

  test('but not when a HEAD is answered with a body', async () => {
    const open = openSession();
    open.session.writeHead(request('HEAD'), 0);
    await settle();
    await open.send(response('hello'));
    open.session.release();
    expect(open.recorder.body).toBe('');
    expect(open.fate).toEqual(['closed']);
  });

  test.each(['close', 'Close', 'keep-alive, close', 'x-a, CLOSE'])(
    'but not when the request said Connection: %s',
    async (value) => {
      const open = openSession();
      open.session.writeHead(request('GET', { Connection: value }), 0);
      await settle();
      expect(open.received()).toContain(`Connection: ${value}\r\n`);
      await open.send(response('a', 'Connection: keep-alive\r\n'));
      open.session.release();
      expect(open.fate).toEqual(['closed']);
    },
  );

  test('and what the request before said about the connection does not count any more', async () => {
    const open = openSession();
    open.session.writeHead(request('GET', { Connection: 'keep-alive' }), 0);
    await settle();
    await open.send(response());
    open.session.release();
    open.next();
    await roundTrip(open);
    open.session.release();
    expect(open.fate).toEqual(['reusable', 'reusable']);
  });

  test('but not when the response was complete before the request', async () => {
    const open = openSession();
    open.session.writeHead(request('POST'), 10);
    open.session.writeBody(Buffer.from('hello'), 0, 5);
    open.session.flush();
    await open.send(response('early'));
    expect(open.recorder.lines).toEqual(['head 200 5', 'body early', 'end']);
    open.session.release();
    expect(open.fate).toEqual(['closed']);
  });

  test('also when the response has begun before the request was complete', async () => {
    const open = openSession();
    open.session.writeHead(request('POST'), 10);
    open.session.writeBody(Buffer.from('hello'), 0, 5);
    open.session.flush();
    await open.send(response('echo: hello').slice(0, -3));
    open.session.writeBody(Buffer.from('world'), 0, 5);
    open.session.end();
    await open.send('llo');
    open.session.release();
    expect(open.fate).toEqual(['reusable']);
  });

  test('but not while the end of the request still waits for the upstream to read', async () => {
    const open = openSession({}, 1_000);
    open.far.pause();
    open.session.writeHead(request('POST'), 50_000);
    open.session.writeBody(Buffer.alloc(50_000), 0, 50_000);
    open.session.end();
    await open.send(response());
    expect(open.recorder.lines).toEqual(['head 200 0', 'end']);
    open.session.release();
    expect(open.fate).toEqual(['closed']);
  });

  test.each([
    ['a byte', (open: OpenSession) => open.send('H')],
    ['a whole response', (open: OpenSession) => open.send(response('poison'))],
    ['FIN', (open: OpenSession) => open.sendEnd()],
    ['RST', async (open: OpenSession) => void open.far.destroy(new Error('reset'))],
  ])('but not when %s comes while it is idle', async (_, disturb) => {
    const open = openSession();
    await roundTrip(open);
    open.session.release();
    expect(open.session.usable).toBe(true);
    await disturb(open);
    await settle();
    expect(open.session.usable).toBe(false);
    expect(open.fate).toEqual(['reusable', 'closed']);
  });

  test.each([
    ['a byte', (open: OpenSession) => open.send('H')],
    ['FIN', (open: OpenSession) => open.sendEnd()],
  ])('but not when %s comes between the end and the release', async (_, disturb) => {
    const open = openSession();
    await roundTrip(open);
    await disturb(open);
    open.session.release();
    expect(open.recorder.lines).toEqual(['head 200 1', 'body a', 'end']);
    expect(open.fate).toEqual(['closed']);
  });
});
