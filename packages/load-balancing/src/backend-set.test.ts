import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { BackendSet } from './backend-set.ts';
import { RoundRobin } from './selection/round-robin.ts';
import type { SelectionFactory } from './selection/selection.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));
const addresses = (set: BackendSet): string[] => [...set.snapshot].map((backend) => backend.address);

describe('BackendSet', () => {
  it('BackendSet begins empty and chooses nothing', () => {
    const set = new BackendSet(RoundRobin);
    expect(set.snapshot.size).toBe(0);
    expect(set.snapshot.choose('', 10)).toBe(-1);
  });

  it('BackendSet keeps health and switches of those that stay, also with another weight', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1', 'c:1') });
    const [a] = set.snapshot;
    expect(a && set.observe(a, false, 1)).toBe(true);
    expect(set.setEnabled('b:1', false)).toBe(true);
    const heavier = [Backend.parse('a:1', { weight: 5 }), Backend.parse('b:1', { weight: 5 }), ...parse('d:1')];
    const change = set.replace({ backends: heavier });
    expect(change).toMatchObject({ changed: true, removed: [{ address: 'c:1' }] });
    expect([...set.snapshot].map((backend) => set.snapshot.isReady(backend))).toEqual([false, false, true]);
    expect(set.snapshot.find('a:1')?.weight).toBe(5);
  });

  it('BackendSet forgets the state of those that leave', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1') });
    const [a] = set.snapshot;
    a && set.observe(a, false, 1);
    set.setEnabled('a:1', false);
    set.replace({ backends: parse('b:1') });
    expect(a && set.observe(a, true, 1)).toBe(false);
    set.replace({ backends: parse('a:1', 'b:1') });
    expect(a && set.snapshot.isReady(a)).toBe(true);
  });

  it('BackendSet keeps the snapshot, and the algorithm its place, when nothing has changed', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1', 'c:1') });
    const before = set.snapshot;
    expect(before.choose('', 9)).toBe(0);
    expect(set.replace({ backends: parse('c:1', 'b:1', 'a:1') }).changed).toBe(false);
    expect(set.snapshot).toBe(before);
    expect(set.snapshot.choose('', 9)).toBe(1);
  });

  it('BackendSet applies the discovery’s switches without losing the algorithm’s place', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1', 'c:1') });
    set.snapshot.choose('', 9);
    const backends = parse('a:1', 'b:1', 'c:1');
    expect(set.replace({ backends, enabled: new Map([['b:1', false]]) }).changed).toBe(true);
    expect(set.snapshot.choose('', 9)).toBe(2);
    expect(set.replace({ backends, enabled: new Map([['b:1', false]]) }).changed).toBe(false);
    expect(set.replace({ backends }).changed).toBe(true);
    expect(set.snapshot.choose('', 9)).toBe(0);
    expect(set.snapshot.choose('', 9)).toBe(1);
  });

  it('BackendSet leaves what an operator switched off alone, whatever the discovery says', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1') });
    set.setEnabled('a:1', false);
    set.replace({ backends: parse('a:1', 'b:1'), enabled: new Map([['a:1', true]]) });
    set.replace({ backends: parse('a:1', 'b:1', 'c:1'), enabled: new Map([['a:1', true]]) });
    expect(set.snapshot.isEnabled({ address: 'a:1' })).toBe(false);
    set.setEnabled('a:1', true);
    expect(set.snapshot.isEnabled({ address: 'a:1' })).toBe(true);
    expect(set.setEnabled('x:1', false)).toBe(false);
  });

  it('BackendSet publishes a new snapshot for each change and leaves the old one as it was', () => {
    const set = new BackendSet(RoundRobin);
    set.replace({ backends: parse('a:1', 'b:1') });
    const before = set.snapshot;
    const [a] = before;
    a && set.observe(a, false, 1);
    expect(set.snapshot).not.toBe(before);
    expect(before.isHealthy({ address: 'a:1' })).toBe(true);
    expect(set.snapshot.isHealthy({ address: 'a:1' })).toBe(false);
    const unhealthy = set.snapshot;
    set.setEnabled('b:1', false);
    expect(unhealthy.isEnabled({ address: 'b:1' })).toBe(true);
    expect(set.snapshot.choose('', 9)).toBe(-1);
  });

  it('BackendSet changes nothing when a list is unusable', () => {
    const picky: SelectionFactory = {
      name: 'Picky',
      build: (backends, previous) => {
        if (backends.length > 2) throw new RangeError('too many');
        return RoundRobin.build(backends, previous);
      },
    };
    const set = new BackendSet(picky);
    set.replace({ backends: parse('a:1', 'b:1') });
    const before = set.snapshot;
    expect(() => set.replace({ backends: parse('a:1', 'b:1', 'c:1') })).toThrow('too many');
    expect(set.snapshot).toBe(before);
    expect(set.setEnabled('c:1', false)).toBe(false);
    expect(addresses(set)).toEqual(['a:1', 'b:1']);
  });

  it('BackendSet shows the algorithm no backend of weight zero', () => {
    const seen: number[] = [];
    const spy: SelectionFactory = {
      name: 'Spy',
      build: (backends, previous) => {
        seen.push(backends.length);
        return RoundRobin.build(backends, previous);
      },
    };
    const set = new BackendSet(spy);
    set.replace({ backends: [Backend.parse('z:1', { weight: 0 }), ...parse('a:1')] });
    expect(seen).toEqual([0, 1]);
    expect(set.snapshot.take(set.snapshot.choose('', 9))?.address).toBe('a:1');
    expect(set.snapshot.size).toBe(2);
  });
});
