import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { type GrpcWeb, grpcWeb } from './grpc-web-module.ts';

const MESSAGE = Buffer.from([0, 0, 0, 0, 3, 1, 2, 3]);

function request(contentType: string, fields: Record<string, string> = {}, method = 'POST'): RequestHeader {
  return new RequestHeader(method, '/pkg.Service/Call', HeaderMap.from({ 'Content-Type': contentType, ...fields }));
}

function response(contentType: string, fields: Record<string, string> = {}): ResponseHeader {
  return new ResponseHeader(200, HeaderMap.from({ 'Content-Type': contentType, ...fields }));
}

function call(contentType: string, fields: Record<string, string> = {}): GrpcWeb {
  return grpcWeb().create(request(contentType, fields)) as GrpcWeb;
}

describe('grpcWeb', () => {
  test.each([
    ['application/grpc+proto', 'POST'],
    ['application/json', 'POST'],
    ['application/grpc-webx', 'POST'],
    ['application/grpc-web-texts', 'POST'],
    ['application/grpc-web', 'OPTIONS'],
  ])('grpcWeb has no module for %s by %s', (type, method) => {
    expect(grpcWeb().create(request(type, {}, method))).toBeUndefined();
  });

  test('grpcWeb has no module for a request without a Content-Type', () => {
    expect(grpcWeb().create(new RequestHeader('POST', '/'))).toBeUndefined();
  });
});

describe('GrpcWeb', () => {
  test.each([
    ['application/grpc-web', 'application/grpc'],
    ['application/grpc-web+proto', 'application/grpc+proto'],
    ['Application/gRPC-Web+json; charset=utf-8', 'application/grpc+json'],
    ['application/grpc-web-text', 'application/grpc'],
    ['application/grpc-web-text+proto', 'application/grpc+proto'],
  ])('GrpcWeb sends %s on as %s, and says that trailers are welcome', (from, to) => {
    const head = request(from);
    grpcWeb().create(head)?.requestHeaderFilter?.(head);
    expect(head.getHeader('Content-Type')).toBe(to);
    expect(head.getHeader('TE')).toBe('trailers');
  });

  test('GrpcWeb keeps the length of binary bodies, and forgets that of text', () => {
    const binary = request('application/grpc-web', { 'Content-Length': '8' });
    const text = request('application/grpc-web-text', { 'Content-Length': '12' });
    grpcWeb().create(binary)?.requestHeaderFilter?.(binary);
    grpcWeb().create(text)?.requestHeaderFilter?.(text);
    expect(binary.headers.contentLength).toBe(8);
    expect(text.headers.contentLength).toBe(-1);
  });

  test('GrpcWeb passes binary request bodies as they are, and decodes text', () => {
    expect(call('application/grpc-web').requestBodyFilter).toBeUndefined();
    const text = call('application/grpc-web-text');
    const base64 = Buffer.from(MESSAGE.toString('base64'));
    expect(text.requestBodyFilter?.(base64.subarray(0, 5), false)).toEqual(MESSAGE.subarray(0, 3));
    expect(text.requestBodyFilter?.(base64.subarray(5), false)).toEqual(MESSAGE.subarray(3));
    expect(text.requestBodyFilter?.(undefined, true)).toBeUndefined();
  });

  test('GrpcWeb refuses text that is cut or is no base64 with 400', () => {
    expect(() => call('application/grpc-web-text').requestBodyFilter?.(Buffer.from('AAA'), true)).toThrow(
      expect.objectContaining({ status: 400, source: 'Downstream' }),
    );
    expect(() => call('application/grpc-web-text').requestBodyFilter?.(Buffer.from('A?A='), false)).toThrow(
      /not base64/,
    );
  });

  test('GrpcWeb turns the trailers of a unary call into the last frame', () => {
    const module = call('application/grpc-web+proto');
    const head = response('application/grpc+proto', { 'Content-Length': '8' });
    module.responseHeaderFilter(head, false);
    expect(head.getHeader('Content-Type')).toBe('application/grpc-web+proto');
    expect(head.headers.contentLength).toBe(-1);
    expect(module.responseBodyFilter).toBeUndefined();
    const frame = module.responseTrailerFilter(HeaderMap.from({ 'Grpc-Status': '0', 'grpc-message': 'ok' })) as Buffer;
    const lines = 'grpc-status: 0\r\ngrpc-message: ok\r\n';
    expect(frame).toEqual(Buffer.concat([Buffer.from([0x80, 0, 0, 0, lines.length]), Buffer.from(lines)]));
  });

  test('GrpcWeb answers text with text: each message can be decoded as it comes', () => {
    const module = call('application/grpc-web-text');
    const head = response('application/grpc');
    module.responseHeaderFilter(head, false);
    expect(head.getHeader('Content-Type')).toBe('application/grpc-web-text');
    expect(String(module.responseBodyFilter?.(MESSAGE, false))).toBe(MESSAGE.toString('base64'));
    expect(String(module.responseBodyFilter?.(MESSAGE.subarray(0, 4), false))).toBe('AAAA');
    expect(String(module.responseBodyFilter?.(undefined, true))).toBe('AA==');
    const frame = String(module.responseTrailerFilter(HeaderMap.from({ 'grpc-status': '5' })));
    expect(Buffer.from(frame, 'base64').subarray(5).toString()).toBe('grpc-status: 5\r\n');
  });

  test.each([
    ['application/grpc-web', 'application/grpc-web-text', 'application/grpc-web-text+proto'],
    ['application/grpc-web-text', 'text/html, application/grpc-web+proto', 'application/grpc-web+proto'],
    ['application/grpc-web-text', '*/*', 'application/grpc-web-text+proto'],
  ])('GrpcWeb answers %s that accepts %s with %s', (sent, accept, expected) => {
    const module = call(sent, { Accept: accept });
    const head = response('application/grpc+proto');
    module.responseHeaderFilter(head, false);
    expect(head.getHeader('Content-Type')).toBe(expected);
  });

  test('GrpcWeb leaves the status of a trailers-only response in its head', () => {
    const module = call('application/grpc-web');
    const head = response('application/grpc', { 'grpc-status': '12', 'Content-Length': '0' });
    module.responseHeaderFilter(head, true);
    expect(head.headers.toJSON()).toEqual({
      'content-type': 'application/grpc-web',
      'grpc-status': '12',
      'content-length': '0',
    });
  });

  test.each(['text/html', 'application/grpc-web', ''])('GrpcWeb passes a response of type "%s" as it is', (type) => {
    const module = call('application/grpc-web-text');
    const head = response(type, { 'Content-Length': '3' });
    module.responseHeaderFilter(head, false);
    expect(head.headers.toJSON()).toEqual({ 'content-type': type, 'content-length': '3' });
    expect(module.responseBodyFilter).toBeUndefined();
    expect(module.responseTrailerFilter(HeaderMap.from({ a: 'b' }))).toBeUndefined();
  });
});
