import { describe, expect, test } from 'vitest';
import { resolveIdentity } from './identity.ts';
import type { NameDatabase } from './name-database.ts';

const names: NameDatabase = {
  user: (name) => [{ name: 'www', uid: 33, gid: 34 }].find((user) => user.name === name || String(user.uid) === name),
  group: (name) => [{ name: 'web', gid: 50 }].find((group) => group.name === name),
};
const root = { current: { uid: 0, gid: 0 }, names };

describe('resolveIdentity', () => {
  test.each([
    ['www', '', { uid: 33, gid: 34, user: 'www' }],
    ['33', '', { uid: 33, gid: 34, user: 'www' }],
    ['www', 'web', { uid: 33, gid: 50, user: 'www' }],
    ['www', '77', { uid: 33, gid: 77, user: 'www' }],
    ['4242', 'web', { uid: 4242, gid: 50, user: undefined }],
    ['', 'web', { uid: 0, gid: 50, user: undefined }],
  ])('resolveIdentity of user %j and group %j', (user, group, identity) => {
    expect(resolveIdentity({ user, group }, root)).toEqual(identity);
  });

  test('resolveIdentity of nothing, and of what the process is, changes nothing', () => {
    expect(resolveIdentity({ user: '', group: '' }, { current: undefined, names })).toBeUndefined();
    expect(resolveIdentity({ user: 'www', group: '' }, { current: { uid: 33, gid: 34 }, names })).toBeUndefined();
    expect(resolveIdentity({ user: '', group: 'web' }, { current: { uid: 33, gid: 50 }, names })).toBeUndefined();
  });

  test.each([
    ['nobdy', '', 'configuration user is "nobdy": there is no user "nobdy"'],
    ['www', 'wep', 'configuration group is "wep": there is no group "wep"'],
    ['-1', '', 'there is no user "-1"'],
    ['99999999999', 'web', 'there is no user "99999999999"'],
    ['4294967295', 'web', 'there is no user "4294967295"'],
    ['4242', '', 'configuration user is "4242": user 4242 has no entry that names its group: set group, too'],
  ])('resolveIdentity refuses user %j with group %j', (user, group, message) => {
    expect(() => resolveIdentity({ user, group }, root)).toThrow(RangeError);
    expect(() => resolveIdentity({ user, group }, root)).toThrow(message);
  });

  test.each([
    ['www', ''],
    ['', 'web'],
  ])('resolveIdentity refuses user %j with group %j to those who are not root', (user, group) => {
    expect(() => resolveIdentity({ user, group }, { current: { uid: 1000, gid: 1000 }, names })).toThrow(
      'only root can change that: start it as root, or leave them empty',
    );
  });

  test('resolveIdentity refuses users where the system has none', () => {
    expect(() => resolveIdentity({ user: 'www', group: '' }, { current: undefined, names })).toThrow(
      'this system has no users',
    );
  });
});
