import { CirqueError } from '@cirque/error';
import { HeaderMap } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { describe, expect, test } from 'vitest';
import { HttpProxy } from './http-proxy.ts';
import { defineProxy, type ProxyPhases } from './proxy-http.ts';
import type { Session } from './session.ts';
import type { SubrequestInit, SubrequestOptions } from './subrequest.ts';
import { createTestProxy, type TestProxy, type TestUpstream } from './testing.ts';

const PEER = new HttpPeer('10.0.0.1:80');

type Ask = (session: Session) => Promise<string>;

/** A proxy whose requests to /parent are answered with what `ask` makes of subrequests. */
function withParent(ask: Ask, upstream?: TestUpstream, more: Partial<ProxyPhases<undefined>> = {}): TestProxy {
  const phases = defineProxy({
    async requestFilter(session) {
      if (session.requestHeader.path !== '/parent' || session.isSubrequest) return false;
      session.respond(200, await ask(session));
      return true;
    },
    upstreamPeer: () => PEER,
    ...more,
  });
  return createTestProxy(phases, { upstream });
}

async function run(ask: Ask, upstream?: TestUpstream, more: Partial<ProxyPhases<undefined>> = {}): Promise<string> {
  const proxy = withParent(ask, upstream, more);
  try {
    return (await proxy.inject({ target: '/parent', headers: { Host: 'parent.example', 'X-Secret': '1' } })).text;
  } finally {
    await proxy.close();
  }
}

describe('Session.subrequest', () => {
  test('runs all phases, with a context of its own, and brings the response back', async () => {
    const proxy = withParent(
      async (session) => {
        const { status, headers, body } = await session.subrequest({ target: '/child' });
        return `${status} ${headers.get('X-Kind')} ${await body.text()}`;
      },
      () => ({ headers: { 'X-Kind': 'origin' }, body: ['from ', 'the ', 'origin'] }),
      { responseFilter: (_session, response) => response.insertHeader('X-Kind', 'filtered'), logging() {} },
    );
    expect((await proxy.inject({ target: '/parent' })).text).toBe('200 filtered from the origin');
    expect(proxy.phases.filter((phase) => phase === 'requestFilter' || phase === 'logging')).toHaveLength(4);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/child']);
    await proxy.close();
    expect(proxy.stats).toMatchObject({ requests: 2, active: 0, failures: 0 });
  });

  test('takes the target and Host of its parent, nothing else', async () => {
    const text = await run(
      async (session) => (await session.subrequest({})).body.text(),
      ({ target, headers }) => ({ body: `${target} ${headers.get('host')} ${headers.get('x-secret')}` }),
    );
    expect(text).toBe('/parent parent.example undefined');
  });

  test.each<[string, SubrequestInit['body'], string]>([
    ['text', 'hello', '5 hello'],
    ['bytes', new Uint8Array([0x68, 0x69]), '2 hi'],
    ['nothing', undefined, '0 '],
    ['an iterable', [Buffer.from('he'), Buffer.from('llo')], 'undefined hello'],
  ])('sends %s', async (_, body, expected) => {
    const text = await run(
      async (session) =>
        (
          await session.subrequest({ method: 'POST', headers: { 'Content-Type': 'a/b' }, ...(body && { body }) })
        ).body.text(),
      (request) => ({ body: `${request.headers.get('content-length')} ${request.body}` }),
    );
    expect(text).toBe(expected);
  });

  test('fields of the parent can be given; what concerns its connection and body is seen to', async () => {
    const headers = HeaderMap.from({ 'Content-Length': '99', Connection: 'close', Expect: '100-continue', A: 'b' });
    const text = await run(
      async (session) => (await session.subrequest({ method: 'PUT', headers, body: 'x' })).body.text(),
      (request) => ({ body: JSON.stringify(request.headers) }),
    );
    expect(JSON.parse(text)).toEqual({ a: 'b', host: 'parent.example', 'content-length': '1' });
    expect(headers.size).toBe(4);
  });

  test('a body of the announced length is sent by length, another one fails the subrequest', async () => {
    const ask = async (session: Session): Promise<string> => {
      const sent = [Buffer.from('abc')];
      const headers = { 'Content-Length': '3' };
      const whole = await session.subrequest({ method: 'POST', headers, body: sent });
      const short = await session.subrequest({ method: 'POST', headers: { 'Content-Length': '4' }, body: sent });
      await short.body.discard();
      return `${await whole.body.text()} ${short.status}`;
    };
    expect(await run(ask, (request) => ({ body: `${request.headers.get('content-length')}` }))).toBe('3 400');
  });

  test('a failed upstream is a response, not an error', async () => {
    expect(await run(async (session) => String((await session.subrequest({})).status), ['refuse'])).toBe('502');
  });

  test('trailers are there once the body was read', async () => {
    const upstream: TestUpstream = () => ({ body: ['x'], trailers: { 'X-Sum': '7' } });
    const text = await run(async (session) => {
      const response = await session.subrequest({});
      const before = response.trailers;
      await response.body.discard();
      return `${before} ${response.trailers?.get('x-sum')}`;
    }, upstream);
    expect(text).toBe('undefined 7');
  });

  test('trailers can be asked for', async () => {
    const upstream: TestUpstream = ({ headers }) => ({ body: `${headers.get('te')} ${headers.get('connection')}` });
    const ask = async (session: Session): Promise<string> =>
      (await session.subrequest({ headers: { TE: 'gzip, trailers' } })).body.text();
    expect(await run(ask, upstream)).toBe('trailers TE');
  });

  test('the context can be given', async () => {
    const seen: unknown[] = [];
    const proxy = createTestProxy<{ name: string }>({
      newCtx: () => ({ name: 'made' }),
      async requestFilter(session, ctx) {
        seen.push(ctx.name);
        if (session.isSubrequest) return false;
        await (await session.subrequest({ ctx: { name: 'given' } })).body.discard();
        await (await session.subrequest({})).body.discard();
        return false;
      },
      upstreamPeer: () => PEER,
    });
    await proxy.inject();
    await proxy.close();
    expect(seen).toEqual(['made', 'given', 'made']);
  });

  test('nesting ends at a depth that only a loop reaches', async () => {
    let depth = 0;
    const proxy = createTestProxy({
      newCtx: () => undefined,
      async requestFilter(session) {
        depth += 1;
        const { status, body } = await session.subrequest({ target: '/deeper' });
        session.respond(status, await body.text());
        return true;
      },
      upstreamPeer: () => PEER,
    });
    expect((await proxy.inject()).status).toBe(500);
    await proxy.close();
    expect(depth).toBe(9);
    const failure = proxy.logs.map(({ facts }) => JSON.stringify(facts)).find((line) => line.includes('nested'));
    expect(failure).toContain('subrequest GET /deeper is nested more than 8 deep');
  });

  test('a slow reader stops the upstream', async () => {
    const body = Array.from({ length: 40 }, () => 'x'.repeat(16_384));
    let passed = 0;
    let passedUnread = 0;
    const ask = async (session: Session): Promise<string> => {
      const response = await session.subrequest({});
      await proxy.clock.settle();
      passedUnread = passed;
      return String(await response.body.discard());
    };
    const responseBodyFilter: ProxyPhases<undefined>['responseBodyFilter'] = (session, piece) => {
      if (session.isSubrequest) passed += piece?.length ?? 0;
    };
    const proxy = withParent(ask, () => ({ body }), { responseBodyFilter });
    expect((await proxy.inject({ target: '/parent' })).text).toBe(String(40 * 16_384));
    await proxy.close();
    expect(passedUnread).toBeGreaterThanOrEqual(65_536);
    expect(passedUnread).toBeLessThan(200_000);
  });
});

describe('cancelling a subrequest', () => {
  /** Sends a subrequest that is not answered, then does something; answers how it ended. */
  async function outcome(
    then: (proxy: TestProxy, session: Session, controller: AbortController) => void | Promise<void>,
    options: SubrequestOptions = {},
  ): Promise<{ ended: string; active: number }> {
    let ended = 'still under way';
    const controller = new AbortController();
    const proxy = withParent(
      async (session) => {
        session.subrequest({ target: '/child' }, { ...options, signal: controller.signal }).then(
          ({ status }) => (ended = String(status)),
          (error: CirqueError) => (ended = `${error.type}: ${error.context}`),
        );
        await proxy.clock.settle();
        await then(proxy, session, controller);
        return 'parent';
      },
      ['hang'],
    );
    const connection = proxy.connect();
    await connection.inject({ target: '/parent' }).catch(() => undefined);
    await proxy.clock.settle();
    const result = { ended, active: proxy.stats.upstream.active };
    await proxy.close();
    return result;
  }

  test('its signal gives it up, upstream connection and all', async () => {
    const { ended, active } = await outcome((_proxy, _session, controller) => controller.abort());
    expect([ended, active]).toEqual(['ConnectionClosed: the subrequest was cancelled', 0]);
  });

  test('the end of the parent gives it up', async () => {
    const { ended, active } = await outcome(() => {});
    expect([ended, active]).toEqual(['ConnectionClosed: the subrequest was cancelled', 0]);
  });

  test('detached it goes on', async () => {
    const { ended, active } = await outcome(() => {}, { detached: true });
    expect([ended, active]).toEqual(['still under way', 1]);
  });

  test('an aborted signal sends nothing', async () => {
    const text = await run(async (session) => {
      const signal = AbortSignal.abort();
      return session.subrequest({}, { signal }).then(
        () => 'sent',
        (error: CirqueError) => error.type,
      );
    });
    expect(text).toBe('ConnectionClosed');
  });

  test('leaving the loop over the body gives the rest up', async () => {
    const proxy = withParent(
      async (session) => {
        const { body } = await session.subrequest({});
        for await (const piece of body) return piece.toString();
        return 'nothing';
      },
      () => ({ body: ['first', 'second'], bodyDelayMs: 1_000 }),
    );
    const answer = proxy.inject({ target: '/parent' });
    await proxy.clock.advance(1_000);
    expect((await answer).text).toBe('first');
    expect(proxy.stats).toMatchObject({ active: 0, failures: 1, upstream: { active: 0 } });
    await proxy.close();
  });

  test('a response that is cut fails its body, behind what has come', async () => {
    const ask = async (session: Session): Promise<string> => {
      const { status, body } = await session.subrequest({});
      const read: string[] = [];
      try {
        for await (const piece of body) read.push(piece.toString());
      } catch (error) {
        read.push(CirqueError.from(error).type);
      }
      return `${status} ${read.join()}`;
    };
    const upstream: TestUpstream = () => ({ headers: { 'Content-Length': '10' }, body: 'part', cut: 'close' });
    expect(await run(ask, upstream)).toBe('200 part,ConnectionClosed');
  });

  test('a body above the limit is refused', async () => {
    const ask = async (session: Session): Promise<string> =>
      (await session.subrequest({})).body.bytes(3).then(String, (error: CirqueError) => error.type);
    expect(await run(ask, () => ({ body: 'four' }))).toBe('ResponseTooLarge');
    expect(await run(ask, () => ({ body: 'abc' }))).toBe('abc');
  });

  test('a body source that fails is told to who asked', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('disk');
    }
    const ask = async (session: Session): Promise<string> =>
      session.subrequest({ method: 'POST', body: broken() }).then(
        () => 'sent',
        (error: CirqueError) => `${error.type} ${(error.cause as Error).message}`,
      );
    expect(await run(ask)).toBe('ReadError disk');
  });
});

describe('Session.spawnBackgroundSubrequest', () => {
  test('outlives its parent and tells what became of it', async () => {
    let outcome: unknown;
    const proxy = withParent(
      async (session) => {
        void session.spawnBackgroundSubrequest({ target: '/refresh' }).then((value) => (outcome = value));
        return 'at once';
      },
      () => ({ status: 201, body: 'x'.repeat(200_000), delayMs: 5_000 }),
    );
    expect((await proxy.inject({ target: '/parent' })).text).toBe('at once');
    expect(outcome).toBeUndefined();
    await proxy.clock.advance(5_000);
    expect(outcome).toEqual({ status: 201, bodyBytes: 200_000 });
    await proxy.close();
  });

  test('a failure that nobody looks at disturbs nobody', async () => {
    const text = await run(async (session) => {
      void session.spawnBackgroundSubrequest({ target: 'not a target' });
      return 'fine';
    });
    expect(text).toBe('fine');
  });
});

describe('HttpProxy.subrequest', () => {
  const phases = defineProxy<{ user: string }>({
    newCtx: () => ({ user: 'nobody' }),
    requestFilter(session, ctx) {
      const { digest, requestHeader, isSubrequest } = session;
      const facts = [ctx.user, requestHeader.target, requestHeader.getHeader('host'), isSubrequest, digest.ssl];
      session.respond(200, facts.join(' '));
      return true;
    },
    upstreamPeer: () => PEER,
  });

  test('needs no client', async () => {
    const proxy = new HttpProxy(phases);
    const { body } = await proxy.subrequest({});
    expect(await body.text()).toBe('nobody / localhost true ');
    const given = await proxy.subrequest({ target: '/x', headers: { Host: 'a' }, ctx: { user: 'me' } });
    expect(await given.body.text()).toBe('me /x a true ');
    expect(await proxy.spawnBackgroundSubrequest({ target: '/y' })).toEqual({ status: 200, bodyBytes: 25 });
    proxy.httpCleanup();
  });
});
