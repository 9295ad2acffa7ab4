import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { findEntry, systemNames } from './name-database.ts';

const PASSWD = `# a comment
root:x:0:0:root:/root:/bin/sh
+nisuser::::::
broken:x:none:5
www:x:33:34:web:/var/www:/bin/false

33:x:500:501:a user with a number for a name:/:/bin/false
`;

test.each([
  ['www', '33'],
  ['0', '0'],
  ['500', '500'],
])('findEntry finds %s', (nameOrId, uid) => {
  expect(findEntry(PASSWD, nameOrId)?.[2]).toBe(uid);
});

test('findEntry prefers a name to a number', () => {
  expect(findEntry(PASSWD, '33')?.[2]).toBe('500');
});

test.each(['broken', 'nobody', '', '+nisuser', '# a comment'])('findEntry does not find %j', (name) => {
  expect(findEntry(PASSWD, name)).toBeUndefined();
});

test('systemNames knows the user of this process, and its group, as id(1) does', () => {
  const id = (option: string): string => execFileSync('id', [option], { encoding: 'utf8' }).trim();
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const entry = { name: user, uid: Number(id('-u')), gid: Number(id('-g')) };
  expect(systemNames.user(user)).toEqual(entry);
  expect(systemNames.user(id('-u'))).toEqual(entry);
  expect(systemNames.group(id('-g'))?.gid).toBe(entry.gid);
});

test.each(['no-such-user-here', '', '--help', '-s files', 'a:b', 'a\nb', '../etc'])(
  'systemNames does not know %j',
  (name) => {
    expect(systemNames.user(name)).toBeUndefined();
    expect(systemNames.group(name)).toBeUndefined();
  },
);
