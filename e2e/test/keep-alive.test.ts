/**
 * Connections that live longer than a request: reuse on both sides, order of pipelined answers, no mix-ups, HTTP/1.0.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { plainAnswer } from '../src/recording-origin.ts';
import { Rig } from '../src/rig.ts';
import { get, type WireClient } from '../src/wire-client.ts';
import { tokensOf, valuesOf } from '../src/wire-head.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

/** The origin answers with the target, so that a mix-up shows. */
function echoTarget(): void {
  rig.origin.answer = (arrival) => plainAnswer(`for ${arrival.request.target}`)(arrival);
}

async function bodyOf(client: WireClient, index: number): Promise<string> {
  const answer = await client.answer(index);
  return answer.body.bytes().toString('latin1');
}

describe('one client connection', () => {
  it('carries hundreds of requests over one upstream connection', async () => {
    echoTarget();
    await rig.origin.hangUp();
    const client = await rig.connect();
    for (let index = 0; index < 300; index++) {
      client.send(get(`/${index}`));
      expect(await bodyOf(client, index)).toBe(`for /${index}`);
    }
    const used = new Set(rig.origin.arrivals.map(({ connection }) => connection.id));
    expect(used.size, 'upstream connections').toBe(1);
  });

  it('gets pipelined answers in order although the first is late', async () => {
    const held: (() => void)[] = [];
    rig.origin.answer = (arrival) => {
      const answer = (): void => plainAnswer(`for ${arrival.request.target}`)(arrival);
      if (arrival.request.target === '/late') held.push(answer);
      else answer();
    };
    const client = await rig.request(get('/late') + get('/second') + get('/third'));
    await rig.origin.until(() => held.length === 1, 'the late request');
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(client.answers.length, client.describe()).toBe(0);
    held[0]?.();
    expect(await bodyOf(client, 2)).toBe('for /third');
    const bodies = client.answers.map((answer) => answer.body.bytes().toString('latin1'));
    expect(bodies).toEqual(['for /late', 'for /second', 'for /third']);
  });

  it('gives a pipelined request no answer that the origin sent too early', async () => {
    const poison = `${head('HTTP/1.1 200 OK', 'Content-Length: 8')}poisoned`;
    rig.origin.answer = ({ request: { target }, connection }) => {
      const body = `for ${target}`;
      const answer = head('HTTP/1.1 200 OK', `Content-Length: ${body.length}`) + body;
      // In one write: what is already there when the first answer ends must not become the second.
      connection.send(target === '/first' ? answer + poison : answer);
    };
    for (let round = 0; round < 20; round++) {
      await rig.origin.hangUp();
      const client = await rig.request(get('/first') + get('/second') + get('/third'));
      expect([await bodyOf(client, 0), await bodyOf(client, 1), await bodyOf(client, 2)]).toEqual([
        'for /first',
        'for /second',
        'for /third',
      ]);
      client.destroy();
    }
  });
});

describe('many client connections', () => {
  it('never get each other’s answers', async () => {
    rig.origin.answer = (arrival) => {
      const turns = arrival.request.target.length % 3;
      const later = async (): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        plainAnswer(`for ${arrival.request.target}`)(arrival);
      };
      void later();
    };
    const talk = async (name: number): Promise<void> => {
      const client = await rig.connect();
      for (let index = 0; index < 20; index++) {
        const target = `/${'x'.repeat((name + index) % 7)}/${name}/${index}`;
        client.send(get(target));
        expect(await bodyOf(client, index)).toBe(`for ${target}`);
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, name) => talk(name)));
    expect(rig.origin.requests.length).toBe(1_000);
  });

  it('share upstream connections instead of opening one each', async () => {
    await rig.origin.hangUp();
    rig.origin.forget();
    for (let index = 0; index < 30; index++) {
      const client = await rig.request(get(`/${index}`));
      await client.answer();
      client.destroy();
    }
    const used = new Set(rig.origin.arrivals.map(({ connection }) => connection.id));
    expect(used.size, 'upstream connections').toBe(1);
  });
});

describe('HTTP/1.0', () => {
  const old = head('GET /old HTTP/1.0', 'Host: h.example', 'Connection: keep-alive');

  it('keep-alive is granted and said', async () => {
    const client = await rig.request(old);
    const first = await client.answer();
    expect(tokensOf(first.fields, 'connection')).toContain('keep-alive');
    expect(first.body.framing.kind).toBe('length');
    client.send(old);
    expect((await client.answer(1)).status).toBe(200);
  });

  it('keep-alive in odd case is granted too', async () => {
    const client = await rig.request(head('GET /old HTTP/1.0', 'Host: h.example', 'connection: Keep-Alive'));
    const first = await client.answer();
    expect(tokensOf(first.fields, 'connection')).toContain('keep-alive');
  });

  it('keep-alive ends with a body whose length nobody knows', async () => {
    rig.origin.answer = ({ connection }) => {
      connection.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`);
    };
    const client = await rig.request(old);
    expect(await client.closed()).toBe('fin');
    const answer = await client.answer();
    expect(answer.body.framing.kind).toBe('close');
    expect(answer.body.bytes().toString('latin1')).toBe('hello');
    expect(valuesOf(answer.fields, 'transfer-encoding')).toEqual([]);
    expect(tokensOf(answer.fields, 'connection')).not.toContain('keep-alive');
  });

  it('close beats keep-alive', async () => {
    const client = await rig.request(head('GET /old HTTP/1.0', 'Host: h.example', 'Connection: keep-alive, close'));
    await client.answer();
    expect(await client.closed()).toBe('fin');
  });
});
