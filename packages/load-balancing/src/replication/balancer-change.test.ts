import { describe, expect, it } from 'vitest';
import { checkChange } from './balancer-change.ts';

const lists = { data: [], unhealthy: [], switchedOff: [], undiscovered: [] };
const backends = { kind: 'backends', addresses: ['a:1', 'b:1'], weights: [1, 2], ...lists };

describe('checkChange', () => {
  it('checkChange gives back what has the shape of a change', () => {
    const changes = [
      backends,
      {
        ...backends,
        data: [['a:1', [['zone', 'x']]]],
        unhealthy: ['b:1'],
        switchedOff: ['a:1'],
        undiscovered: ['a:1'],
      },
      { kind: 'health', address: 'a:1', healthy: true },
      { kind: 'health', address: 'a:1', healthy: false, reason: 'down' },
      { kind: 'switch', address: 'a:1', enabled: false },
    ];
    for (const change of changes) expect(checkChange(change)).toBe(change);
  });

  it.each([
    [undefined, "change.kind must be 'backends', 'health' or 'switch', got undefined"],
    [7, 'change.kind'],
    [{ kind: 'list' }, 'got list; apply takes what snapshot and onChange give'],
    [{ kind: 'health', address: 'a:1' }, 'change.healthy must be a boolean, got undefined'],
    [{ kind: 'health', healthy: true }, 'change.address must be a string, got undefined'],
    [{ kind: 'health', address: 'a:1', healthy: false, reason: 3 }, 'change.reason must be a string, got number'],
    [{ kind: 'switch', address: 'a:1', enabled: 1 }, 'change.enabled must be a boolean, got number'],
    [{ kind: 'switch', address: 1, enabled: true }, 'change.address must be a string, got number'],
    [{ ...backends, addresses: 'a:1' }, 'change.addresses must be an array, got string'],
    [{ ...backends, unhealthy: undefined }, 'change.unhealthy must be an array, got undefined'],
    [{ ...backends, weights: [1] }, 'change.weights must be as many as the 2 addresses, got 1'],
    [{ ...backends, switchedOff: ['c:1'] }, 'change.switchedOff must name addresses of the list, got c:1'],
    [{ ...backends, data: [undefined] }, 'change.data must name addresses of the list, got undefined'],
    [{ ...backends, data: [['a:1', { zone: 'x' }]] }, 'change.data of a:1 must be an array of pairs'],
    [{ ...backends, data: [['a:1', ['zone']]] }, 'change.data of a:1 must be an array of pairs'],
  ])('checkChange refuses %j', (change, message) => {
    expect(() => checkChange(change)).toThrow(TypeError);
    expect(() => checkChange(change)).toThrow(message);
  });
});
