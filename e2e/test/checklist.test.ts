/**
 * The RFC checklist: one test per rule, and the rules about forwarding that no case of the corpus can say.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checklist } from '../corpus/checklist.ts';
import { requestCorpus } from '../corpus/requests.ts';
import { responseCorpus } from '../corpus/responses.ts';
import { head } from '../src/case.ts';
import { whole } from '../src/delivery.ts';
import { runRequestCase } from '../src/request-runner.ts';
import { runResponseCase } from '../src/response-runner.ts';
import { Rig } from '../src/rig.ts';
import { valuesOf } from '../src/wire-head.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.endTest());
afterAll(() => rig?.stop());

function named<C extends { readonly name: string }>(corpus: ReadonlyMap<string, readonly C[]>, name: string): C {
  const found = [...corpus.values()].flat().filter((candidate) => candidate.name === name);
  if (found.length === 0) throw new Error(`the corpus has no case ${JSON.stringify(name)}`);
  return found[0] as C;
}

describe('rules', () => {
  it.each(checklist)('$rule ($section)', async ({ requests = [], responses = [] }) => {
    expect(requests.length + responses.length).toBeGreaterThan(0);
    for (const name of requests) {
      const found = named(requestCorpus, name);
      await rig.attempt(name, () => runRequestCase(rig, found, whole));
    }
    for (const name of responses) {
      const found = named(responseCorpus, name);
      await rig.attempt(name, () => runResponseCase(rig, found, whole));
    }
  });
});

describe('the corpus', () => {
  it.each([
    ['requests', requestCorpus],
    ['responses', responseCorpus],
  ])('has no two %s of one name in a group', (_name, corpus) => {
    for (const [group, cases] of corpus) {
      const names = cases.map(({ name }) => name);
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      expect(twice, group).toEqual([]);
    }
  });
});

describe('Max-Forwards (RFC 9110 7.6.2)', () => {
  it.each(['OPTIONS', 'TRACE'])('%s with 0 is answered here', async (method) => {
    const client = await rig.request(head(`${method} /max HTTP/1.1`, 'Host: h.example', 'Max-Forwards: 0'));
    await client.answer();
    expect(rig.origin.requests).toEqual([]);
  });

  it.each(['OPTIONS', 'TRACE'])('%s with 5 goes on with 4', async (method) => {
    const client = await rig.request(head(`${method} /max HTTP/1.1`, 'Host: h.example', 'Max-Forwards: 5'));
    expect((await client.answer()).status).toBe(200);
    const [request] = rig.origin.requests;
    expect(valuesOf(request?.fields ?? [], 'max-forwards')).toEqual(['4']);
  });

  it('means nothing with GET', async () => {
    const client = await rig.request(head('GET /max HTTP/1.1', 'Host: h.example', 'Max-Forwards: 0'));
    expect((await client.answer()).status).toBe(200);
    expect(rig.origin.requests.length).toBe(1);
  });
});
