import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';

/**
 * Least connections relative to weight, as anyone could add it: one class, nothing else changed.
 * Linear in the number of backends, which is good enough for a test.
 */
class LeastConn implements Selection {
  readonly #backends: readonly Backend[];
  readonly #inFlight: number[];
  readonly #offered = new Set<number>();

  constructor(backends: readonly Backend[]) {
    this.#backends = backends;
    this.#inFlight = backends.map(() => 0);
  }

  static build(backends: readonly Backend[]): LeastConn {
    return new LeastConn(backends);
  }

  first(): number {
    this.#offered.clear();
    return this.next();
  }

  next(): number {
    let best = -1;
    for (const i of this.#backends.keys()) {
      if (!this.#offered.has(i) && (best === -1 || this.#load(i) < this.#load(best))) best = i;
    }
    this.#offered.add(best);
    return best;
  }

  onLoad(position: number, inFlight: number): void {
    this.#inFlight[position] = inFlight;
  }

  #load(position: number): number {
    return (this.#inFlight[position] ?? 0) / (this.#backends[position]?.weight ?? 1);
  }
}

describe('LoadBalancer.pick', () => {
  it('LoadBalancer.pick makes least connections possible without any change elsewhere', () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1', Backend.parse('c:1', { weight: 2 })], {
      selection: LeastConn,
    });
    const picks = Array.from({ length: 8 }, () => balancer.pick(''));
    const chosen = picks.map((pick) => pick?.backend.address);
    expect(chosen.filter((address) => address === 'c:1')).toHaveLength(4);
    expect(chosen.filter((address) => address === 'a:1')).toHaveLength(2);
    picks[0]?.done();
    expect(balancer.pick('')?.backend.address).toBe(chosen[0]);
  });

  it('LoadBalancer.pick keeps its counts when the list changes, and releases of before still count', async () => {
    let texts = ['a:1', 'b:1'];
    const discovery = { discover: () => ({ backends: texts.map((text) => Backend.parse(text)) }) };
    const balancer = new LoadBalancer({ discovery, selection: LeastConn });
    await balancer.update();
    const first = balancer.pick('');
    const second = balancer.pick('');
    expect([first?.backend.address, second?.backend.address]).toEqual(['a:1', 'b:1']);
    texts = ['b:1', 'a:1', 'c:1'];
    await balancer.update();
    const third = balancer.pick('');
    expect(third?.backend.address).toBe('c:1');
    first?.done();
    expect(balancer.pick('')?.backend.address).toBe('a:1');
  });

  it('LoadBalancer.pick releases once, however often done is called, and passes the outcome on', () => {
    const calls: unknown[] = [];
    const spy: SelectionFactory = {
      name: 'Spy',
      build: (backends) => ({
        first: () => (backends.length === 0 ? -1 : 0),
        next: () => -1,
        onLoad: (position, inFlight) => calls.push(['load', position, inFlight]),
        onDone: (position, outcome) => calls.push(['done', position, outcome]),
      }),
    };
    const balancer = LoadBalancer.fromAddresses(['a:1'], { selection: spy });
    const pick = balancer.pick('');
    pick?.done({ ok: false, latencyMs: 3 });
    pick?.done();
    balancer.pick('')?.done();
    expect(balancer.select('')?.address).toBe('a:1');
    expect(calls).toEqual([
      ['load', 0, 1],
      ['load', 0, 0],
      ['done', 0, { ok: false, latencyMs: 3 }],
      ['load', 0, 1],
      ['load', 0, 0],
      ['done', 0, undefined],
    ]);
  });

  it('LoadBalancer.pick works with algorithms that count nothing', () => {
    const pick = LoadBalancer.fromAddresses(['a:1']).pick('');
    expect(pick?.backend.address).toBe('a:1');
    pick?.done({ ok: true });
  });

  it('LoadBalancer.pick takes maxIterations and accept', () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1', 'c:1']);
    expect(balancer.pick('', { accept: (backend) => backend.address === 'c:1' })?.backend.address).toBe('c:1');
    expect(balancer.pick('', { accept: () => false })).toBeUndefined();
    expect(balancer.pick('', { maxIterations: 0 })).toBeUndefined();
  });
});
