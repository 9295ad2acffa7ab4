import { describe, expect, it } from 'vitest';
import { byFile, type CpuProfile, selfTimes, withoutIdle } from './cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('parse', 'file:///repo/packages/http1/src/a.ts', 9) },
    // The same function reached through another caller.
    { id: 3, callFrame: frame('parse', 'file:///repo/packages/http1/src/a.ts', 9) },
    { id: 4, callFrame: frame('', 'file:///repo/packages/http1/src/a.ts', 20) },
    { id: 5, callFrame: frame('writev') },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('emit', 'node:events', 488) },
  ],
  startTime: 1000,
  // Taken at     1010, 1030, 1060, 1100, 1150, 1210, 1280
  samples: [1, 2, 3, 4, 5, 6, 7],
  timeDeltas: [10, 20, 30, 40, 50, 60, 70],
};
const ALL = { fromUs: 0, untilUs: 10_000 };

describe('selfTimes', () => {
  it('gives a sample the time until the next one, and adds up one function in several places', () => {
    expect(selfTimes(PROFILE, ALL, '/repo/')).toEqual([
      { name: 'parse', file: 'packages/http1/src/a.ts:10', selfUs: 70 },
      { name: '(garbage collector)', file: '(native)', selfUs: 70 },
      { name: 'writev', file: '(native)', selfUs: 60 },
      { name: '(anonymous)', file: 'packages/http1/src/a.ts:21', selfUs: 50 },
      { name: '(idle)', file: '(native)', selfUs: 20 },
    ]);
  });

  it('counts only samples inside the window', () => {
    const times = selfTimes(PROFILE, { fromUs: 1060, untilUs: 1150 }, '/repo/');
    expect(times.map(({ name, selfUs }) => [name, selfUs])).toEqual([
      ['(anonymous)', 50],
      ['parse', 40],
    ]);
  });
});

describe('byFile', () => {
  it('sums by file, keeps native functions together and the categories of V8 apart', () => {
    expect(byFile(selfTimes(PROFILE, ALL, '/repo/')).map(({ file, selfUs }) => [file, selfUs])).toEqual([
      ['packages/http1/src/a.ts', 120],
      ['(garbage collector)', 70],
      ['(native)', 60],
      ['(idle)', 20],
    ]);
  });
});

describe('withoutIdle', () => {
  it('leaves out only the time in which nothing ran', () => {
    const names = withoutIdle(selfTimes(PROFILE, ALL, '/repo/')).map(({ name }) => name);
    expect(names).toEqual(['parse', '(garbage collector)', 'writev', '(anonymous)']);
  });
});
