/**
 * Expect: 100-continue (RFC 9110 section 10.1.1): the origin decides, nobody hangs, nobody is fooled.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { plainAnswer } from '../src/recording-origin.ts';
import { Rig } from '../src/rig.ts';
import { get } from '../src/wire-client.ts';
import { tokensOf } from '../src/wire-head.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

const UPLOAD = head('POST /upload HTTP/1.1', 'Host: h.example', 'Expect: 100-continue', 'Content-Length: 5');
const CHUNKED = head('POST /upload HTTP/1.1', 'Host: h.example', 'Expect: 100-continue', 'Transfer-Encoding: chunked');
const CONTINUE = head('HTTP/1.1 100 Continue');

it.each([
  ['by length', UPLOAD, 'hello'],
  ['chunked', CHUNKED, '5\r\nhello\r\n0\r\n\r\n'],
])('the 100 of the origin invites the body (%s)', async (_name, request, body) => {
  rig.origin.onHead = ({ connection }) => connection.send(CONTINUE);
  const client = await rig.request(request);
  await client.wire.until(() => client.interim.length > 0, 'a 100');
  expect(client.interim[0]?.status).toBe(100);
  client.send(body);
  expect((await client.answer()).status).toBe(200);
  expect(rig.origin.requests[0]?.body.bytes().toString('latin1')).toBe('hello');
  expect(client.interim.length, 'one 100 is enough').toBe(1);
  rig.origin.onHead = undefined;
  client.send(get('/next'));
  expect((await client.answer(1)).status).toBe(200);
});

it('the head reaches the origin, or the client is invited, before any of the body was sent', async () => {
  let seen = false;
  rig.origin.onHead = () => {
    seen = true;
  };
  const client = await rig.request(UPLOAD);
  const { origin } = rig;
  await Promise.any([
    origin.until(() => seen, 'the head at the origin'),
    client.wire.until(() => client.interim.length > 0, 'a 100 at the client'),
  ]);
  client.send('hello');
  expect((await client.answer()).status).toBe(200);
});

it('an origin that never says 100 gets the body all the same', async () => {
  const client = await rig.request(UPLOAD);
  client.send('hello');
  expect((await client.answer()).status).toBe(200);
  expect(rig.origin.requests[0]?.body.bytes().toString('latin1')).toBe('hello');
});

it.each([401, 413, 417])(
  'a final %i instead of 100 reaches the client, and the body that follows does no harm',
  async (status) => {
    rig.origin.onHead = ({ connection }) => {
      connection.send(`${head(`HTTP/1.1 ${status} No`, 'Content-Length: 2')}no`);
    };
    const client = await rig.request(UPLOAD);
    const answer = await client.answer();
    expect(answer.status).toBe(status);
    rig.origin.onHead = undefined;
    if (tokensOf(answer.fields, 'connection').includes('close')) {
      await client.closed();
    } else {
      client.send(`hello${get('/next')}`);
      expect((await client.answer(1)).status).toBe(200);
      expect(rig.origin.requests.at(-1)?.target).toBe('/next');
    }
    await rig.expectService();
  },
);

it('a refused upload leaves no half-used upstream connection in the pool', async () => {
  rig.origin.onHead = ({ connection, request }) => {
    if (request.target === '/upload') connection.send(head('HTTP/1.1 401 No', 'Content-Length: 0'));
  };
  const client = await rig.request(UPLOAD);
  expect((await client.answer()).status).toBe(401);
  const used = rig.origin.unfinished[0];
  expect(used, 'the origin has the head of an unfinished request').toBeDefined();
  client.destroy();
  await rig.origin.until(() => used?.isClosed === true, 'the end of the connection with the unfinished request');
  await rig.expectService();
});

it('an HTTP/1.0 client gets no 100', async () => {
  rig.origin.onHead = ({ connection, request }) => {
    if (request.body.framing.kind !== 'none') connection.send(CONTINUE);
  };
  const request = head('POST /upload HTTP/1.0', 'Host: h.example', 'Expect: 100-continue', 'Content-Length: 5');
  const client = await rig.request(`${request}hello`);
  expect((await client.answer()).status).toBe(200);
  expect(client.interim.length).toBe(0);
});

it('a body that looks like a request is not taken for one after a refusal', async () => {
  const inner = get('/smuggled');
  const request = head(
    'POST /upload HTTP/1.1',
    'Host: h.example',
    'Expect: 100-continue',
    `Content-Length: ${inner.length}`,
  );
  rig.origin.onHead = ({ connection, request: { target } }) => {
    if (target === '/upload') connection.send(head('HTTP/1.1 403 No', 'Content-Length: 0'));
  };
  const client = await rig.request(request);
  expect((await client.answer()).status).toBe(403);
  client.send(inner);
  await rig.expectService();
  rig.origin.answer = plainAnswer();
  expect(rig.origin.requests.map(({ target }) => target)).not.toContain('/smuggled');
  expect(client.answers.length, client.describe()).toBe(1);
});
