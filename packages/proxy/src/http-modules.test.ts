import {
  type HeaderMap,
  type HttpModule,
  type HttpModuleBuilder,
  type RequestHeader,
  ResponseHeader,
} from '@cirque/http';
import { afterEach, describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';
import { HttpModules } from './http-modules.ts';
import type { TestProxy } from './testing.ts';

const log: string[] = [];
afterEach(() => {
  log.length = 0;
});

function builder(name: string, module: HttpModule, order?: number): HttpModuleBuilder {
  return { name, create: () => module, ...(order === undefined ? {} : { order }) };
}

/** Notes everything it sees. */
class Noting implements HttpModule {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  requestHeaderFilter(request: RequestHeader): void {
    log.push(`${this.name} request ${request.target}`);
  }
  requestBodyFilter(body: Buffer | undefined, end: boolean): void {
    log.push(`${this.name} > ${body?.toString() ?? ''}${end ? '.' : ''}`);
  }
  responseHeaderFilter(response: ResponseHeader, end: boolean): void {
    log.push(`${this.name} response ${response.status} ${end}`);
    response.headers.append('Seen-By', this.name);
  }
  responseBodyFilter(body: Buffer | undefined, end: boolean): void {
    log.push(`${this.name} < ${body?.toString() ?? ''}${end ? '.' : ''}`);
  }
  responseTrailerFilter(trailers: HeaderMap): void {
    log.push(`${this.name} trailers ${trailers.get('x')}`);
  }
  close(): void {
    log.push(`${this.name} closed`);
  }
}

describe('HttpModules.add', () => {
  const modules = (): HttpModules => new HttpModules('downstream modules');

  test('orders by order, then by time', () => {
    const chain = modules();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const [at, order] of [0, 5, undefined, 5, -1].entries()) chain.add(builder(names[at] as string, {}, order));
    expect(chain.seal().map(({ name }) => name)).toEqual(['b', 'd', 'a', 'c', 'e']);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'downstream modules: a module builder needs a name and a create() function'],
    ['a nameless one', { create: () => ({}) }, 'needs a name and a create() function'],
    ['one without create', { name: 'a' }, 'needs a name and a create() function'],
    ['a wrong order', { name: 'a', create: () => ({}), order: Number.NaN }, 'the order of module a is NaN'],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => modules().add(wrong as HttpModuleBuilder)).toThrow(message);
  });

  test('refuses a name that is there already, and what comes too late', () => {
    const chain = modules().add(builder('a', {}));
    expect(() => chain.add(builder('a', {}))).toThrow('module a is there already');
    chain.seal();
    expect(() => chain.add(builder('b', {}))).toThrow('module b comes too late');
  });
});

/** Two noting modules on each side. */
function chains(extra: object = {}): TestProxy {
  return openProxy(
    {
      initDownstreamModules: (modules) => {
        modules.add(builder('d1', new Noting('d1'), 1)).add(builder('d2', new Noting('d2')));
      },
      initUpstreamModules: (modules) => {
        modules.add(builder('u1', new Noting('u1'))).add(builder('u2', new Noting('u2')));
      },
      earlyRequestFilter: () => void log.push('earlyRequestFilter'),
      requestFilter: () => void log.push('requestFilter'),
      requestBodyFilter: (_session, body, end) => void log.push(`filter > ${body?.toString() ?? ''}${end ? '.' : ''}`),
      upstreamResponseFilter: () => void log.push('upstreamResponseFilter'),
      responseFilter: () => void log.push('responseFilter'),
      responseBodyFilter: (_session, body, end) => void log.push(`filter < ${body?.toString() ?? ''}${end ? '.' : ''}`),
      logging: () => void log.push('logging'),
      ...extra,
    },
    {
      upstream: [
        {
          informational: [{ status: 103 }],
          headers: { 'Transfer-Encoding': 'chunked' },
          body: '2\r\nhi\r\n0\r\nx: 1\r\n\r\n',
        },
      ],
    },
  );
}

describe('the chains', () => {
  test('run where they belong, on requests and responses', async () => {
    const proxy = chains();
    const response = await proxy.inject({ method: 'POST', body: 'ab' });
    expect(response.headers.getAll('seen-by')).toEqual(['u1', 'u2', 'd1', 'd2']);
    expect(log).toEqual([
      'earlyRequestFilter',
      'd1 request /',
      'd2 request /',
      'requestFilter',
      'd1 > ab',
      'd2 > ab',
      'filter > ab',
      'd1 > .',
      'd2 > .',
      'filter > .',
      // An informational head passes the phases, and no module sees it.
      'upstreamResponseFilter',
      'responseFilter',
      'u1 response 200 false',
      'u2 response 200 false',
      'upstreamResponseFilter',
      'responseFilter',
      'd1 response 200 false',
      'd2 response 200 false',
      'u1 < hi',
      'u2 < hi',
      'filter < hi',
      'd1 < hi',
      'd2 < hi',
      'u1 < .',
      'u2 < .',
      'filter < .',
      'd1 < .',
      'd2 < .',
      'd1 trailers 1',
      'd2 trailers 1',
      'u1 closed',
      'u2 closed',
      'logging',
      'd1 closed',
      'd2 closed',
    ]);
  });

  test('give their modules to phases by class', async () => {
    const names: unknown[] = [];
    const proxy = chains({
      requestFilter: (session: { downstreamModules?: { get(type: typeof Noting): Noting | undefined } }) =>
        void names.push(session.downstreamModules?.get(Noting)?.name),
    });
    await proxy.inject();
    expect(names).toEqual(['d1']);
  });

  test('leave out modules that have nothing to do', async () => {
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add({ name: 'only for /a', create: ({ path }) => (path === '/a' ? new Noting('a') : undefined) });
        },
      },
      { upstream: [{ body: 'x' }, { body: 'x' }] },
    );
    expect((await proxy.inject({ target: '/b' })).headers.has('seen-by')).toBe(false);
    expect((await proxy.inject({ target: '/a' })).headers.get('seen-by')).toBe('a');
  });
});

describe('responses that a phase writes', () => {
  const upper: HttpModule = {
    responseHeaderFilter: (response) => void response.removeHeader('Content-Length'),
    responseBodyFilter: async (body, end) => {
      await Promise.resolve();
      const text = body?.toString().toUpperCase() ?? '';
      return Buffer.from(end ? `${text}!` : text);
    },
  };
  const withUpper = (requestFilter: object): TestProxy =>
    openProxy({
      initDownstreamModules: (modules) => {
        modules.add(builder('upper', upper));
      },
      ...requestFilter,
    });

  test('pass the downstream modules, however long they take', async () => {
    const proxy = withUpper({
      requestFilter(session: { respond(status: number, body: string): void }) {
        session.respond(200, 'hello');
        return true;
      },
    });
    const connection = proxy.connect();
    expect((await connection.inject()).text).toBe('HELLO!');
    expect((await connection.inject()).text, 'the connection goes on').toBe('HELLO!');
    connection.close();
  });

  test('pass them piece by piece, in order, and the bytes may be used again', async () => {
    const proxy = withUpper({
      requestFilter(session: import('./session.ts').Session) {
        session.writeResponseHeader(new ResponseHeader(200), false);
        const bytes = Buffer.from('one ');
        expect(session.writeResponseBody(bytes, false), 'a module is slow').toBe(false);
        bytes.write('two ');
        session.writeResponseBody(bytes, false);
        bytes.write('six ');
        session.writeResponseBody(bytes, true);
        bytes.fill('x');
        return true;
      },
    });
    expect((await proxy.inject()).text).toBe('ONE TWO SIX !');
  });

  test('of a failure do not', async () => {
    const proxy = withUpper({
      requestFilter() {
        throw new Error('no');
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 500, text: '' });
  });
});

describe('failures of modules', () => {
  test.each<[string, HttpModule, number]>([
    [
      'requestHeaderFilter',
      {
        requestHeaderFilter: () => {
          throw new Error('no');
        },
      },
      500,
    ],
    ['requestHeaderFilter, later', { requestHeaderFilter: () => Promise.reject(new Error('no')) }, 500],
    [
      'responseHeaderFilter',
      {
        responseHeaderFilter: () => {
          throw new Error('no');
        },
      },
      500,
    ],
  ])('%s: %o', async (_, module, status) => {
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('bad', module));
        },
      },
      { upstream: [{ body: 'x' }] },
    );
    expect((await proxy.inject()).status).toBe(status);
  });

  test('create: the phases of a failed request run', async () => {
    const proxy = openProxy({
      initDownstreamModules: (modules) => {
        modules.add({
          name: 'bad',
          create: () => {
            throw new Error('no');
          },
        });
      },
      failToProxy: (session) => {
        session.respond(503, 'sorry');
        return { errorCode: 503, canReuseDownstream: false };
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 503, text: 'sorry' });
  });

  test('close: is logged, and the others are closed all the same', async () => {
    const bad: HttpModule = {
      close() {
        throw new Error('no');
      },
    };
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('bad', bad, 1)).add(builder('good', new Noting('good')));
        },
      },
      { upstream: [{ body: 'x' }] },
    );
    expect((await proxy.inject()).status).toBe(200);
    expect(log.at(-1)).toBe('good closed');
    expect(proxy.logs.map(({ message }) => message)).toContain('a module failed');
  });
});

describe('request bodies', () => {
  /** Adds up what it sees, so that it must see everything once. */
  const counting = (): HttpModule & { total: number; ends: number } => ({
    total: 0,
    ends: 0,
    requestBodyFilter(body, end) {
      this.total += body?.length ?? 0;
      if (end) this.ends += 1;
      return body === undefined ? Buffer.from(`=${this.total}`) : Buffer.from(body.toString().toUpperCase());
    },
    requestHeaderFilter: (request) => void request.removeHeader('Content-Length'),
  });

  test('pass modules once, however often the request is sent', async () => {
    const module = counting();
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('counting', module));
        },
        errorWhileProxy: (_peer, _session, error) => error.setRetry(true),
      },
      { upstream: ['reset', 'close', { body: 'fine' }] },
    );
    expect((await proxy.inject({ method: 'POST', body: 'abc' })).text).toBe('fine');
    expect(proxy.upstream.requests.map(({ body }) => body.toString())).toEqual(['ABC=3', 'ABC=3', 'ABC=3']);
    expect(module).toMatchObject({ total: 3, ends: 1 });
  });

  test('are read by phases as the modules made them', async () => {
    const bodies: string[] = [];
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('counting', counting()));
        },
        async requestFilter(session) {
          bodies.push((await session.readBody()).toString());
        },
      },
      { upstream: [{ body: 'fine' }] },
    );
    expect((await proxy.inject({ method: 'POST', body: ['ab', 'c'] })).text).toBe('fine');
    expect(bodies).toEqual(['ABC=3']);
    expect(proxy.upstream.requests[0]?.body.toString()).toBe('ABC=3');
  });

  test('can be made by a module for a request without one', async () => {
    const module = counting();
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('counting', module));
        },
      },
      { upstream: [{ body: 'fine' }] },
    );
    await proxy.inject({ method: 'POST' });
    expect(proxy.upstream.requests[0]?.body.toString()).toBe('=0');
    expect(module.ends).toBe(1);
  });

  test.each([
    ['at once', () => Promise.reject(new Error('no'))],
    [
      'later',
      () => {
        throw new Error('no');
      },
    ],
  ])('end the request when a module fails, %s', async (_, requestBodyFilter) => {
    const proxy = openProxy(
      {
        initDownstreamModules: (modules) => {
          modules.add(builder('bad', { requestBodyFilter }));
        },
        requestFilter: async (session) => void (await session.readBody()),
      },
      { upstream: [{ body: 'fine' }] },
    );
    expect((await proxy.inject({ method: 'POST', body: 'abc' })).status).toBe(500);
  });
});

describe('A builder of upstream modules that throws', () => {
  test('fails the attempt: its connection is not kept, modules made before are closed', async () => {
    let calls = 0;
    const proxy = openProxy(
      {
        initUpstreamModules: (modules) => {
          modules.add(builder('first', new Noting('first')));
          modules.add({
            name: 'second',
            create: () => {
              calls += 1;
              throw new Error('no module');
            },
          });
        },
        failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
        errorWhileProxy: (_peer, _session, error) => error,
      },
      { options: { maxRetries: 2 } },
    );
    expect((await proxy.inject()).status).toBe(500);
    expect(proxy.phases).toContain('errorWhileProxy');
    expect(proxy.phases).not.toContain('failToConnect');
    expect(calls).toBe(1);
    expect(log).toEqual(['first closed']);
  });
});
