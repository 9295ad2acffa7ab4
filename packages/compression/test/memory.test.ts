import { createHook } from 'node:async_hooks';
import { gzipSync } from 'node:zlib';
import { HeaderMap, type HttpModule, ResponseHeader } from '@cirque/http';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compression, decompression } from '../src/index.ts';
import { accepting } from './chain.ts';

interface Handle {
  close(): void;
}

const BODY = Buffer.from('the same line again and again\n'.repeat(1_000));
const GZIPPED = gzipSync(BODY);

/** Memory of algorithms is freed when their handle is closed, else only by the garbage collector. */
let handles: { closed: boolean }[] = [];
const hook = createHook({
  init(_id, type, _trigger, resource) {
    if (!/^(?:ZLIB|BROTLI|ZSTD)/.test(type)) return;
    const record = { closed: false };
    handles.push(record);
    const handle = resource as Handle;
    const close = handle.close.bind(handle);
    handle.close = () => {
      record.closed = true;
      close();
    };
  },
});

beforeEach(() => {
  handles = [];
  hook.enable();
});
afterEach(() => {
  hook.disable();
});

function page(coding?: string): ResponseHeader {
  const fields = HeaderMap.from({ 'Content-Type': 'text/html' });
  if (coding !== undefined) fields.set('Content-Encoding', coding);
  return new ResponseHeader(200, fields);
}

function started(accept: string): HttpModule {
  const module = compression().create(accepting(accept)) as HttpModule;
  module.responseHeaderFilter?.(page(), false);
  return module;
}

const closed = (): boolean[] => handles.map((handle) => handle.closed);

test.each(['gzip', 'br', 'zstd'])(
  'compression with %s frees its memory at the end, and when it is closed before',
  async (accept) => {
    const leaks = LeakCheck.start();
    const ended = started(accept);
    await ended.responseBodyFilter?.(BODY, false);
    expect(closed()).toEqual([false]);
    await ended.responseBodyFilter?.(undefined, true);
    await vi.waitFor(() => expect(closed()).toEqual([true]));
    ended.close?.();

    const idle = started(accept);
    await idle.responseBodyFilter?.(BODY, false);
    idle.close?.();
    await vi.waitFor(() => expect(closed()).toEqual([true, true]));

    const busy = started(accept);
    const piece = busy.responseBodyFilter?.(BODY, false);
    busy.close?.();
    await expect(piece).rejects.toThrow(/closed/);
    await vi.waitFor(() => expect(closed()).toEqual([true, true, true]));
    await leaks.assertClean();
  },
);

test('decompression frees its memory when the body is broken, and when it is closed before the end', async () => {
  const decoding = (): HttpModule => {
    const module = decompression().create(accepting('')) as HttpModule;
    module.responseHeaderFilter?.(page('gzip'), false);
    return module;
  };
  await expect(decoding().responseBodyFilter?.(Buffer.from('no gzip at all'), false)).rejects.toThrow();
  const half = decoding();
  await half.responseBodyFilter?.(GZIPPED.subarray(0, 50), false);
  half.close?.();
  await vi.waitFor(() => expect(closed()).toEqual([true, true]));
});

test('a module that never saw a body has taken no memory', () => {
  started('gzip').close?.();
  expect(handles).toEqual([]);
});
