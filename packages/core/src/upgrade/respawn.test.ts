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
      ['server.ts', '-d', '-c', 'conf.yaml', '-u'],
    ],
    [
      ['server.ts', '--daemon', '-u'],
      ['server.ts', '--daemon', '-u'],
    ],
    [
      ['server.ts', '-du'],
      ['server.ts', '-du'],
    ],
    [
      ['server.ts', '-ud', '-x'],
      ['server.ts', '-ud', '-x'],
    ],
    [
      ['server.ts', '-d', '--', '-d'],
      ['server.ts', '-d', '-u', '--', '-d'],
    ],
    [
      ['server.ts', '-c', 'conf-d.yaml'],
      ['server.ts', '-c', 'conf-d.yaml', '-u'],
    ],
  ])('successorArguments of %j', (argv, expected) => expect(successorArguments(argv)).toEqual(expected));
});
