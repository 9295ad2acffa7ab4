import { HttpPeer } from '@cirque/pool';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
import { defineProxy, ProxyHttp, type ProxyPhases } from './proxy-http.ts';
import type { Session } from './session.ts';
import { createTestProxy } from './testing.ts';

interface Ctx {
  user: string;
}

class Gateway extends ProxyHttp<Ctx> {
  readonly #peer = new HttpPeer('10.0.0.7:80');

  override newCtx(): Ctx {
    return { user: 'nobody' };
  }

  override upstreamPeer(_session: Session, ctx: Ctx): HttpPeer {
    expectTypeOf(ctx).toEqualTypeOf<Ctx>();
    return this.#peer;
  }

  override requestFilter(session: Session, ctx: Ctx): boolean {
    ctx.user = session.requestHeader.getHeader('x-user') ?? 'nobody';
    return false;
  }
}

describe('ProxyHttp', () => {
  test('binds phases to the object, and leaves out what is not overridden', async () => {
    const gateway = new Gateway();
    expect('earlyRequestFilter' in gateway).toBe(false);
    const proxy = createTestProxy(gateway, { upstream: ({ connection }) => ({ body: connection.address }) });
    expect(await proxy.inject()).toMatchObject({ text: '10.0.0.7:80' });
    expect(proxy.phases).toEqual(['newCtx', 'requestFilter', 'upstreamPeer']);
    await proxy.close();
  });

  test('refuses a misspelt phase at compile time', () => {
    class Misspelt extends ProxyHttp {
      override newCtx(): undefined {}
      override upstreamPeer(): HttpPeer {
        return peer;
      }
      // @ts-expect-error a phase of this name does not exist, so there is nothing to override
      override requestFliter(): boolean {
        return false;
      }
    }
    expect(new Misspelt()).toBeInstanceOf(ProxyHttp);
  });

  test('refuses wrong answers at compile time', () => {
    class Wrong extends ProxyHttp<Ctx> {
      override newCtx(): Ctx {
        return { user: '' };
      }
      // @ts-expect-error a peer is expected
      override upstreamPeer(): string {
        return '10.0.0.1:80';
      }
      // @ts-expect-error it must answer at once
      override async failToConnect(): Promise<undefined> {}
    }
    expect(new Wrong()).toBeInstanceOf(ProxyHttp);
  });

  test('demands the two required phases at compile time', () => {
    // @ts-expect-error upstreamPeer and newCtx are missing
    class Empty extends ProxyHttp {}
    expect(new Empty()).toBeInstanceOf(ProxyHttp);
  });
});

describe('defineProxy', () => {
  test('needs no newCtx when there is no context', async () => {
    const phases = defineProxy({ upstreamPeer: () => peer });
    expectTypeOf(phases).toEqualTypeOf<ProxyPhases<undefined>>();
    expect(await openProxy(phases).inject()).toMatchObject({ status: 200 });
  });

  test('knows the type of the context in every phase', async () => {
    const phases = defineProxy<Ctx>({
      newCtx: () => ({ user: 'nobody' }),
      upstreamPeer: () => peer,
      requestFilter(_session, ctx) {
        expectTypeOf(ctx).toEqualTypeOf<Ctx>();
      },
    });
    expectTypeOf(phases).toEqualTypeOf<ProxyPhases<Ctx>>();
    expect(await openProxy(phases).inject()).toMatchObject({ status: 200 });
  });

  test('refuses misspelt and missing phases at compile time', () => {
    defineProxy({
      upstreamPeer: () => peer,
      // @ts-expect-error a phase of this name does not exist
      requestFliter: () => false,
    });
    // @ts-expect-error there is a context, so newCtx is needed
    defineProxy<Ctx>({ upstreamPeer: () => peer });
    // @ts-expect-error upstreamPeer is needed
    expect(defineProxy({ newCtx: () => undefined })).toBeTypeOf('object');
  });
});
