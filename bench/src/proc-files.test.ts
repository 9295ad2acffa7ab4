import { describe, expect, it } from 'vitest';
import {
  parseCoreBusyTicks,
  parseCoreList,
  parseProcessStat,
  parseResidentBytes,
  parseRunTimeNs,
} from './proc-files.ts';

describe('parseRunTimeNs', () => {
  it('takes the first of the three numbers', () => {
    expect(parseRunTimeNs('1870883301 166856666 1181\n')).toBe(1_870_883_301);
  });

  it('refuses anything else', () => {
    expect(() => parseRunTimeNs('')).toThrow('not a schedstat line');
    expect(() => parseRunTimeNs('12')).toThrow('not a schedstat line');
  });
});

describe('parseProcessStat', () => {
  it('finds the fields behind a name with blanks and brackets', () => {
    const stat = '4711 (a (b) c) S 17 4711 4711 0 -1 4194304 100 200 0 0 321 654 7 8 20 0 3 0 99\n';
    expect(parseProcessStat(stat)).toEqual({
      isZombie: false,
      parentPid: 17,
      userTicks: 321,
      systemTicks: 654,
      waitedTicks: 15,
    });
    expect(parseProcessStat(stat.replace(') S', ') Z')).isZombie).toBe(true);
  });

  it('refuses a line that is too short', () => {
    expect(() => parseProcessStat('4711 (sh) S 17')).toThrow('not a process stat line');
  });
});

describe('parseCoreBusyTicks', () => {
  const stat =
    'cpu  999 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 1000 2000 8 16 32 64 128\ncpu1 10 0 0 5 5 0 0 0 0 0\ncpu10 7 0 0 0 0 0 0 0 0 0\n';

  it('adds user, nice, system, irq, softirq and steal, but neither idle nor guest', () => {
    expect(parseCoreBusyTicks(stat, 0)).toBe(1 + 2 + 4 + 8 + 16 + 32);
  });

  it('does not take core 10 for core 1', () => {
    expect(parseCoreBusyTicks(stat, 1)).toBe(10);
    expect(parseCoreBusyTicks(stat, 10)).toBe(7);
  });

  it('refuses a core that is not there', () => {
    expect(() => parseCoreBusyTicks(stat, 2)).toThrow('no line for core 2');
  });
});

describe('parseResidentBytes', () => {
  it('reads the resident size, not its peak', () => {
    expect(parseResidentBytes('Name:\tnode\nVmHWM:\t  999 kB\nVmRSS:\t  20 kB\n')).toBe(20_480);
  });

  it('refuses the status of a process without memory', () => {
    expect(() => parseResidentBytes('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('no VmRSS line');
  });
});

describe('parseCoreList', () => {
  it('reads single cores, ranges and both', () => {
    expect(parseCoreList('0-1\n')).toEqual([0, 1]);
    expect(parseCoreList('3')).toEqual([3]);
    expect(parseCoreList('0,4-6,9')).toEqual([0, 4, 5, 6, 9]);
    expect(parseCoreList('')).toEqual([]);
  });
});
