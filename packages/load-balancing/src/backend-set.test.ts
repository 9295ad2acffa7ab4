import { FakeClock } from '@cirque/testing';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { BackendSet, type SetChange } from './backend-set.ts';
import type { Discovered } from './discovery/discovery.ts';
import { runAtOnce } from './run-in-slices.ts';
import { RoundRobin } from './selection/round-robin.ts';
import type { SelectionFactory } from './selection/selection.ts';
import { SlowStart } from './slow-start.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));
function setOf(factory: SelectionFactory, clock = new FakeClock(), slowStartMs = 0, panicThreshold = 0): BackendSet {
  return new BackendSet({
    factory,
    maxConnections: 0,
    panicThreshold,
    slowStart: new SlowStart(slowStartMs, clock, () => 0.5),
    now: () => clock.now(),
    random: () => 0.5,
    published: () => undefined,
  });
}

const replace = (set: BackendSet, found: Discovered): SetChange => runAtOnce(set.replace(found));
const addresses = (set: BackendSet): string[] => [...set.snapshot].map((backend) => backend.address);

describe('BackendSet', () => {
  it('BackendSet begins empty and chooses nothing', () => {
    const set = setOf(RoundRobin);
    expect(set.snapshot.size).toBe(0);
    expect(set.snapshot.choose('', 10)).toBe(-1);
  });

  it('BackendSet keeps health and switches of those that stay, also with another weight', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1', 'c:1') });
    const [a] = set.snapshot;
    expect(a && set.observe(a, false, 1)).toBe(true);
    expect(set.setState('b:1', 'maintenance')).toBe(true);
    const heavier = [Backend.parse('a:1', { weight: 5 }), Backend.parse('b:1', { weight: 5 }), ...parse('d:1')];
    const change = replace(set, { backends: heavier });
    expect(change).toMatchObject({ changed: true, removed: [{ address: 'c:1' }] });
    expect([...set.snapshot].map((backend) => set.snapshot.isReady(backend))).toEqual([false, false, true]);
    expect(set.snapshot.find('a:1')?.weight).toBe(5);
  });

  it('BackendSet forgets the state of those that leave', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1') });
    const [a] = set.snapshot;
    a && set.observe(a, false, 1);
    set.setState('a:1', 'maintenance');
    replace(set, { backends: parse('b:1') });
    expect(a && set.observe(a, true, 1)).toBe(false);
    replace(set, { backends: parse('a:1', 'b:1') });
    expect(a && set.snapshot.isReady(a)).toBe(true);
  });

  it('BackendSet keeps the snapshot, and the algorithm its place, when nothing has changed', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1', 'c:1') });
    const before = set.snapshot;
    expect(before.choose('', 9)).toBe(0);
    expect(replace(set, { backends: parse('c:1', 'b:1', 'a:1') }).changed).toBe(false);
    expect(set.snapshot).toBe(before);
    expect(set.snapshot.choose('', 9)).toBe(1);
  });

  it('BackendSet applies the discovery’s switches without losing the algorithm’s place', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1', 'c:1') });
    set.snapshot.choose('', 9);
    const backends = parse('a:1', 'b:1', 'c:1');
    expect(replace(set, { backends, enabled: new Map([['b:1', false]]) }).changed).toBe(true);
    expect(set.snapshot.choose('', 9)).toBe(2);
    expect(replace(set, { backends, enabled: new Map([['b:1', false]]) }).changed).toBe(false);
    expect(replace(set, { backends }).changed).toBe(true);
    expect(set.snapshot.choose('', 9)).toBe(0);
    expect(set.snapshot.choose('', 9)).toBe(1);
  });

  it('BackendSet leaves what an operator switched off alone, whatever the discovery says', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1') });
    set.setState('a:1', 'maintenance');
    replace(set, { backends: parse('a:1', 'b:1'), enabled: new Map([['a:1', true]]) });
    replace(set, { backends: parse('a:1', 'b:1', 'c:1'), enabled: new Map([['a:1', true]]) });
    expect(set.snapshot.isEnabled({ address: 'a:1' })).toBe(false);
    set.setState('a:1', 'active');
    expect(set.snapshot.isEnabled({ address: 'a:1' })).toBe(true);
    expect(set.setState('x:1', 'maintenance')).toBe(false);
  });

  it('BackendSet publishes a new snapshot for each change and leaves the old one as it was', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: parse('a:1', 'b:1') });
    const before = set.snapshot;
    const [a] = before;
    a && set.observe(a, false, 1);
    expect(set.snapshot).not.toBe(before);
    expect(before.isHealthy({ address: 'a:1' })).toBe(true);
    expect(set.snapshot.isHealthy({ address: 'a:1' })).toBe(false);
    const unhealthy = set.snapshot;
    set.setState('b:1', 'maintenance');
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
    const set = setOf(picky);
    replace(set, { backends: parse('a:1', 'b:1') });
    const before = set.snapshot;
    expect(() => replace(set, { backends: parse('a:1', 'b:1', 'c:1') })).toThrow('too many');
    expect(set.snapshot).toBe(before);
    expect(set.setState('c:1', 'maintenance')).toBe(false);
    expect(addresses(set)).toEqual(['a:1', 'b:1']);
  });

  it('BackendSet ignores health and ejection in a tier where less than the threshold is well', () => {
    const set = setOf(RoundRobin, new FakeClock(), 0, 0.5);
    const backups = ['x:1', 'y:1'].map((text) => Backend.parse(text, { priority: 1 }));
    replace(set, { backends: [...parse('a:1', 'b:1', 'c:1', 'd:1'), ...backups] });
    const inRotation = (): string[] =>
      [...set.snapshot].filter((one) => set.snapshot.isReady(one)).map((one) => one.address);
    set.become('a:1', false);
    set.setEjected('b:1', true);
    // Two of four is half, not less.
    expect([inRotation(), set.snapshot.rotation.hasPanic]).toEqual([['c:1', 'd:1', 'x:1', 'y:1'], false]);
    set.become('c:1', false);
    expect([inRotation(), set.snapshot.rotation.hasPanic]).toEqual([['a:1', 'b:1', 'c:1', 'd:1', 'x:1', 'y:1'], true]);
    expect(
      [...set.snapshot].map((one) => set.snapshot.rotation.isPanicAt(addresses(set).indexOf(one.address))),
    ).toEqual([true, true, true, true, false, false]);
    // Who is switched off stays out, and does not count: one of two is half again.
    set.setState('a:1', 'maintenance');
    set.setState('b:1', 'draining');
    expect([inRotation(), set.snapshot.rotation.hasPanic]).toEqual([['d:1', 'x:1', 'y:1'], false]);
    set.become('x:1', false);
    set.become('y:1', false);
    expect(inRotation()).toEqual(['d:1', 'x:1', 'y:1']);
  });

  it('BackendSet keeps the algorithm of a tier that has not changed', () => {
    const built: string[][] = [];
    const spy: SelectionFactory = {
      name: 'Spy',
      build: (backends, previous) => {
        built.push(backends.map((one) => one.address));
        return RoundRobin.build(backends, previous);
      },
    };
    const set = setOf(spy);
    const backup = (text: string): Backend => Backend.parse(text, { priority: 4 });
    replace(set, { backends: [...parse('a:1', 'b:1', 'c:1'), backup('x:1')] });
    expect(set.snapshot.choose('', 9)).toBe(0);
    replace(set, { backends: [backup('y:1'), ...parse('a:1', 'b:1', 'c:1'), backup('x:1')] });
    expect(set.snapshot.choose('', 9)).toBe(1);
    replace(set, { backends: [backup('y:1'), ...parse('b:1', 'a:1', 'c:1')] });
    expect(built).toEqual([[], ['a:1', 'b:1', 'c:1'], ['x:1'], ['y:1', 'x:1'], ['b:1', 'a:1', 'c:1'], ['y:1']]);
  });

  it('BackendSet goes to the next tier only while nobody of the one before is in rotation', () => {
    const set = setOf(RoundRobin);
    replace(set, { backends: [Backend.parse('x:1', { priority: 9 }), ...parse('a:1', 'b:1')] });
    const chosen = (): string | undefined => set.snapshot.take(set.snapshot.choose('', 9))?.address;
    expect([chosen(), chosen()]).toEqual(['a:1', 'b:1']);
    set.become('a:1', false);
    expect([chosen(), chosen()]).toEqual(['b:1', 'b:1']);
    set.setState('b:1', 'draining');
    expect([chosen(), chosen()]).toEqual(['x:1', 'x:1']);
    set.become('a:1', true);
    expect([chosen(), chosen()]).toEqual(['a:1', 'a:1']);
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
    const set = setOf(spy);
    replace(set, { backends: [Backend.parse('z:1', { weight: 0 }), ...parse('a:1')] });
    expect(seen).toEqual([0, 1]);
    expect(set.snapshot.take(set.snapshot.choose('', 9))?.address).toBe('a:1');
    expect(set.snapshot.size).toBe(2);
  });
});
