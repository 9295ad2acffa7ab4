import { describe, expect, test } from 'vitest';
import { successorArguments } from './respawn.ts';

describe('successorArguments', () => {
  test.each([
    [['server.ts'], ['server.ts', '-u']],
    [
      ['server.ts', '-u'],
      ['server.ts', '-u'],
    ],
    [
      ['server.ts', '--upgrade'],
      ['server.ts', '--upgrade'],
    ],
    [
      ['server.ts', '-d', '-c', 'conf.yaml'],
      ['server.ts', '-c', 'conf.yaml', '-u'],
    ],
    [
      ['server.ts', '--daemon', '-u'],
      ['server.ts', '-u'],
    ],
    [
      ['server.ts', '-du'],
      ['server.ts', '-u'],
    ],
    [
      ['server.ts', '-ud', '-x'],
      ['server.ts', '-u', '-x'],
    ],
    [
      ['server.ts', '-d', '--', '-d'],
      ['server.ts', '-u', '--', '-d'],
    ],
    [
      ['server.ts', '-c', 'conf-d.yaml'],
      ['server.ts', '-c', 'conf-d.yaml', '-u'],
    ],
  ])('successorArguments of %j', (argv, expected) => expect(successorArguments(argv)).toEqual(expected));
});
