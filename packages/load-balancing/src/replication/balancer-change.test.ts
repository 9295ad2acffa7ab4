import { describe, expect, it } from 'vitest';
import { runAtOnce } from '../run-in-slices.ts';
import { type BalancerChange, checkChange, checkEntries } from './balancer-change.ts';

const lists = { data: [], unhealthy: [], draining: [], maintenance: [], undiscovered: [] };
const backends = { kind: 'backends', addresses: ['a:1', 'b:1'], weights: [1, 2], ...lists };

/** Both parts of the check. */
function check(value: unknown): BalancerChange {
  const change = checkChange(value);
  if (change.kind === 'backends') runAtOnce(checkEntries(change));
  return change;
}

describe('checkChange', () => {
  it('checkChange gives back what has the shape of a change', () => {
    const changes = [
      backends,
      {
        ...backends,
        data: [['a:1', [['zone', 'x']]]],
        unhealthy: ['b:1'],
        draining: ['a:1'],
        maintenance: ['b:1'],
        priorities: [0, 3],
        maxConnections: [5, 0],
        undiscovered: ['a:1'],
      },
      { kind: 'health', address: 'a:1', healthy: true },
      { kind: 'health', address: 'a:1', healthy: false, reason: 'down' },
      { kind: 'state', address: 'a:1', state: 'draining' },
    ];
    for (const change of changes) expect(check(change)).toBe(change);
  });

  it.each([
    [undefined, "change.kind must be 'backends', 'health' or 'state', got undefined"],
    [7, 'change.kind'],
    [{ kind: 'list' }, 'got list; apply takes what snapshot and onChange give'],
    [{ kind: 'health', address: 'a:1' }, 'change.healthy must be a boolean, got undefined'],
    [{ kind: 'health', healthy: true }, 'change.address must be a string, got undefined'],
    [{ kind: 'health', address: 'a:1', healthy: false, reason: 3 }, 'change.reason must be a string, got number'],
    [
      { kind: 'state', address: 'a:1', state: 'off' },
      "change.state must be 'active', 'draining' or 'maintenance', got off",
    ],
    [{ kind: 'state', address: 1, state: 'active' }, 'change.address must be a string, got number'],
    [{ ...backends, addresses: 'a:1' }, 'change.addresses must be an array, got string'],
    [{ ...backends, unhealthy: undefined }, 'change.unhealthy must be an array, got undefined'],
    [{ ...backends, weights: [1] }, 'change.weights must be as many as the 2 addresses, got 1'],
    [{ ...backends, priorities: [1] }, 'change.priorities must be as many as the 2 addresses, got 1'],
    [{ ...backends, maxConnections: 5 }, 'change.maxConnections must be as many as the 2 addresses, got number'],
    [{ ...backends, maintenance: ['c:1'] }, 'change.maintenance must name addresses of the list, got c:1'],
    [{ ...backends, data: [undefined] }, 'change.data must name addresses of the list, got undefined'],
    [{ ...backends, data: [['a:1', { zone: 'x' }]] }, 'change.data of a:1 must be an array of pairs'],
    [{ ...backends, data: [['a:1', ['zone']]] }, 'change.data of a:1 must be an array of pairs'],
  ])('checkChange refuses %j', (change, message) => {
    expect(() => check(change)).toThrow(TypeError);
    expect(() => check(change)).toThrow(message);
  });
});
