import { expect, test } from 'vitest';
import { dropPrivileges, type IdentityCalls } from './drop-privileges.ts';

/** A process that begins as root. */
class FakeProcess implements IdentityCalls {
  readonly calls: string[] = [];
  uid = 0;
  gid = 0;
  /** Lets root be regained, as a system without saved ids would. */
  forgiving = false;
  refuses: string | undefined;

  initgroups(user: string, group: number): void {
    this.#call(`initgroups ${user} ${group}`);
  }
  setgroups(groups: readonly number[]): void {
    this.#call(`setgroups ${groups.join()}`);
  }
  setgid(id: number): void {
    this.#call(`setgid ${id}`);
    this.gid = id;
  }
  setuid(id: number): void {
    this.#call(`setuid ${id}`);
    if (this.uid !== 0 && id !== this.uid && !this.forgiving) throw new Error('EPERM');
    this.uid = id;
  }
  getuid = (): number => this.uid;
  geteuid = (): number => this.uid;
  getgid = (): number => this.gid;
  getegid = (): number => this.gid;

  #call(name: string): void {
    this.calls.push(name);
    if (this.refuses !== undefined && name.startsWith(this.refuses)) throw new Error(`${this.refuses}: EPERM`);
  }
}

test('dropPrivileges takes groups, then the group, then the user, then tries the way back', () => {
  const calls = new FakeProcess();
  dropPrivileges({ uid: 33, gid: 34, user: 'www' }, calls);
  expect(calls.calls).toEqual(['initgroups www 34', 'setgid 34', 'setuid 33', 'setuid 0']);
  expect([calls.uid, calls.gid]).toEqual([33, 34]);
});

test('dropPrivileges leaves a user without an entry in its group only', () => {
  const calls = new FakeProcess();
  dropPrivileges({ uid: 4242, gid: 50, user: undefined }, calls);
  expect(calls.calls[0]).toBe('setgroups 50');
});

test('dropPrivileges can change the group alone', () => {
  const calls = new FakeProcess();
  dropPrivileges({ uid: 0, gid: 50, user: undefined }, calls);
  expect(calls.calls).toEqual(['setgroups 50', 'setgid 50', 'setuid 0']);
});

test.each(['initgroups', 'setgid', 'setuid'])('dropPrivileges reports that %s failed, and stops there', (name) => {
  const calls = new FakeProcess();
  calls.refuses = name;
  expect(() => dropPrivileges({ uid: 33, gid: 34, user: 'www' }, calls)).toThrow(
    `cannot become user www (33), group 34: ${name}: EPERM`,
  );
  expect(calls.calls.at(-1)).toContain(name);
});

test('dropPrivileges does not trust a system that lets root be regained', () => {
  const calls = new FakeProcess();
  calls.forgiving = true;
  expect(() => dropPrivileges({ uid: 33, gid: 34, user: 'www' }, calls)).toThrow('has not really made this process');
});

test('dropPrivileges does not trust a system that changes nothing', () => {
  const calls = new FakeProcess();
  calls.getegid = () => 0;
  expect(() => dropPrivileges({ uid: 33, gid: 34, user: 'www' }, calls)).toThrow('has not really made this process');
});
