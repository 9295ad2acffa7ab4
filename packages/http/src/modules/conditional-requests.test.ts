import { describe, expect, test } from 'vitest';
import { HeaderMap } from '../header-map.ts';
import { RequestHeader } from '../request-header.ts';
import { ResponseHeader } from '../response-header.ts';
import { type ConditionalRequests, conditionalRequests } from './conditional-requests.ts';

const asking = (tag: string): RequestHeader => new RequestHeader('GET', '/', HeaderMap.from({ 'If-None-Match': tag }));
const tagged = (): ResponseHeader => new ResponseHeader(200, HeaderMap.from({ ETag: '"a"', 'Content-Length': '5' }));

describe('conditionalRequests', () => {
  test('conditionalRequests answers 304 without the body when the client has it', () => {
    const module = conditionalRequests().create(asking('"a"')) as ConditionalRequests;
    const response = tagged();
    module.responseHeaderFilter(response);
    expect(response.status).toBe(304);
    expect(response.headers.contentLength).toBe(-1);
    expect(module.responseBodyFilter?.()).toHaveLength(0);
  });

  test('conditionalRequests passes what the client has not', () => {
    const module = conditionalRequests().create(asking('"b"')) as ConditionalRequests;
    const response = tagged();
    module.responseHeaderFilter(response);
    expect(response.status).toBe(200);
    expect(response.headers.contentLength).toBe(5);
    expect(module.responseBodyFilter).toBeUndefined();
  });

  test('conditionalRequests has no module for requests without a condition, and for other methods', () => {
    const { create } = conditionalRequests();
    expect(create(new RequestHeader('GET', '/'))).toBeUndefined();
    expect(create(new RequestHeader('PUT', '/', HeaderMap.from({ 'If-None-Match': '*' })))).toBeUndefined();
    expect(create(new RequestHeader('GET', '/', HeaderMap.from({ 'If-Modified-Since': 'x' })))).toBeDefined();
  });
});
