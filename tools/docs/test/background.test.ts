import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Background } from '../src/background.ts';
import { LineWatch } from '../src/line-watch.ts';

describe('LineWatch', () => {
  test('waitFor finds the next such line, also one that comes in pieces, and passes others over', async () => {
    const lines = new LineWatch(['out']);
    lines.push('out', 'one\ntwo\nth');
    expect(await lines.waitFor('two')).toBe('two');
    const third = lines.waitFor('three');
    lines.push('out', 'ree\n');
    expect(await third).toBe('three');
    lines.close();
    await expect(lines.waitFor('one')).rejects.toThrow('the program did not write "one", but:\none\ntwo\nthree');
  });

  test('waitFor finds each line once, in any order, where several threads write', async () => {
    const lines = new LineWatch(['log'], true);
    lines.push('log', 'one\ntwo\none\n');
    lines.close();
    expect(await lines.waitFor('two')).toBe('two');
    expect([await lines.waitFor('one'), await lines.waitFor('one')]).toEqual(['one', 'one']);
    await expect(lines.waitFor('one')).rejects.toThrow('did not write');
  });

  test('waitFor does not depend on the order of streams', async () => {
    const lines = new LineWatch(['out', 'err']);
    lines.push('err', 'later\n');
    lines.push('out', 'first\n');
    expect([await lines.waitFor('first'), await lines.waitFor('later')]).toEqual(['first', 'later']);
    expect([lines.text('out'), lines.text()]).toEqual(['first', 'first\nlater']);
  });
});

describe('Background', () => {
  let background: Background;
  beforeEach(() => {
    background = new Background();
  });
  afterEach(() => background.end());

  test('a folder of its own stands for /tmp, until the end', async () => {
    const path = background.configuration('examples/x/conf.yaml', 'pid_file: /tmp/x.pid\n');
    const folder = dirname(path);
    expect(readFileSync(path, 'utf8')).toBe(`pid_file: ${folder}/x.pid\n`);
    expect(background.back(background.translate('see /tmp/x.pid'))).toBe('see /tmp/x.pid');
    expect(background.cat('/tmp/none')).toBe('cat: /tmp/none: No such file or directory');
    expect(await background.end()).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  test('launch refuses a configuration that leaves paths to the defaults, which all servers share', async () => {
    const conf = background.configuration('conf.yaml', 'pid_file: /tmp/x.pid\nerror_log: /tmp/x.log\n');
    await expect(background.launch(['-c', conf, '-d'], '/', '')).rejects.toThrow(
      /needs upgrade_sock with an absolute path/,
    );
  });

  test('launch reports what the command says when there is no daemon', async () => {
    const conf = background.ownConfiguration('');
    await expect(background.launch(['-e', 'console.log("no")', '--', '-c', conf], '/', '')).rejects.toThrow(
      'no daemon, but 0:\nno',
    );
  });

  test('kill sends no signal to a process that the page has not started', async () => {
    background.configuration('x.pid', `${process.pid}\n`);
    await expect(background.kill('-TERM', '/tmp/x.pid')).rejects.toThrow('which this page has not started');
  });
});
