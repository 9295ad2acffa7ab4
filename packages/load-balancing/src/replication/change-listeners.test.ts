import { describe, expect, it } from 'vitest';
import { silentLogger } from '../logger.ts';
import type { BalancerChange } from './balancer-change.ts';
import { ChangeListeners } from './change-listeners.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const flip = (address: string): BalancerChange => ({ kind: 'health', address, healthy: true });

function listOf(length: number): BalancerChange {
  const addresses = Array.from({ length }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
  const none = { data: [], unhealthy: [], draining: [], maintenance: [], undiscovered: [] };
  return { kind: 'backends', addresses, weights: addresses.map(() => 1), ...none };
}

/** What somebody was told, in short. */
const shortOf = (change: BalancerChange): string =>
  change.kind === 'backends' ? `list of ${change.addresses.length}` : change.address;

describe('ChangeListeners', () => {
  it('ChangeListeners puts nothing together while nobody listens', () => {
    const listeners = new ChangeListeners(silentLogger);
    listeners.tell(() => {
      throw new Error('made');
    });
    expect(listeners.size).toBe(0);
  });

  it('ChangeListeners tells at once, and a long list to one in each turn, keeping the order for each', async () => {
    const listeners = new ChangeListeners(silentLogger);
    const told: string[] = [];
    for (const name of ['one', 'two']) listeners.add((change) => told.push(`${name}: ${shortOf(change)}`));
    listeners.tell(() => flip('a:1'));
    expect(told.splice(0)).toEqual(['one: a:1', 'two: a:1']);
    listeners.tell(() => listOf(2_001));
    listeners.tell(() => flip('b:1'));
    expect(told).toEqual([]);
    await turn();
    expect(told).toEqual(['one: list of 2001']);
    for (let i = 0; i < 4; i += 1) await turn();
    expect(told.splice(0)).toEqual(['one: list of 2001', 'two: list of 2001', 'one: b:1', 'two: b:1']);
    listeners.tell(() => listOf(2_000));
    expect(told).toEqual(['one: list of 2000', 'two: list of 2000']);
  });

  it('ChangeListeners tells what comes while a list is described after that list', () => {
    const listeners = new ChangeListeners(silentLogger);
    const told: string[] = [];
    listeners.add((change) => told.push(shortOf(change)));
    const release = listeners.hold();
    listeners.tell(() => flip('a:1'));
    listeners.tell(() => flip('b:1'));
    expect(told).toEqual([]);
    release(listOf(3));
    expect(told.splice(0)).toEqual(['list of 3', 'a:1', 'b:1']);
    listeners.tell(() => flip('c:1'));
    expect(told).toEqual(['c:1']);
  });

  it('ChangeListeners tells nothing more to who has gone, also of what is due', async () => {
    const listeners = new ChangeListeners(silentLogger);
    const told: string[] = [];
    const end = listeners.add((change) => told.push(shortOf(change)));
    listeners.tell(() => listOf(3_000));
    end();
    for (let i = 0; i < 3; i += 1) await turn();
    expect(told).toEqual([]);
  });
});
