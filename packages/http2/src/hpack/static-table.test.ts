import { describe, expect, test } from 'vitest';
import { STATIC_ENTRIES, STATIC_INDEX, STATIC_NAMES, STATIC_VALUES, staticMatch } from './static-table.ts';

describe('STATIC_NAMES', () => {
  test('has the entries of RFC 7541 appendix A', () => {
    expect(STATIC_NAMES).toHaveLength(STATIC_ENTRIES + 1);
    expect(STATIC_VALUES).toHaveLength(STATIC_ENTRIES + 1);
    expect([STATIC_NAMES[1], STATIC_NAMES[16], STATIC_NAMES[32], STATIC_NAMES[61]]).toEqual([
      ':authority',
      'accept-encoding',
      'cookie',
      'www-authenticate',
    ]);
    expect([STATIC_VALUES[2], STATIC_VALUES[14], STATIC_VALUES[16]]).toEqual(['GET', '500', 'gzip, deflate']);
  });

  test('has equal names side by side', () => {
    const runs = STATIC_NAMES.filter((name, at) => at > 0 && name !== STATIC_NAMES[at - 1]);
    expect(new Set(runs).size).toBe(runs.length);
  });
});

describe('staticMatch', () => {
  test('finds each entry, from the first index of its name on', () => {
    for (let index = 1; index <= STATIC_ENTRIES; index++) {
      const name = STATIC_NAMES[index] as string;
      expect(staticMatch(name, STATIC_VALUES[index] as string, STATIC_INDEX.get(name) as number)).toBe(index);
    }
    expect(STATIC_INDEX.get(':status')).toBe(8);
    expect(staticMatch(':status', '201', 8)).toBe(0);
    expect(staticMatch('www-authenticate', 'Basic', 61)).toBe(0);
  });
});
