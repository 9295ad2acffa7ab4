import { describe, expect, test } from 'vitest';
import { anchors, codeBlocks, localLinks } from '../src/markdown.ts';
import { shellWords, transcript, withoutChance } from '../src/transcript.ts';

const plain = { beside: false, asksForCode: false };

describe('transcript', () => {
  test('transcript splits console blocks into commands with their output', () => {
    const text = [
      '```console',
      '$ npm start',
      'ready',
      '$ curl \\',
      "  -H 'A: b c' http://x/",
      '```',
      '```console server',
      'hi',
      '```',
    ];
    expect(transcript(text.join('\n'))).toEqual([
      { kind: 'command', words: ['npm', 'start'], output: 'ready', line: 2, ...plain },
      { kind: 'command', words: ['curl', '-H', 'A: b c', 'http://x/'], output: '', line: 4, ...plain },
      { kind: 'server', output: 'hi', line: 8 },
    ]);
  });

  test('transcript finds files, and what runs beside or ends by itself', () => {
    const text = '```ts\n// a.ts\nb;\n```\n```console\n$ node a.ts &\n$ node a.ts -t; echo $?\n1\n```';
    expect(transcript(text)).toEqual([
      { kind: 'file', name: 'a.ts', code: '// a.ts\nb;\n', line: 2 },
      { kind: 'command', words: ['node', 'a.ts'], output: '', line: 6, beside: true, asksForCode: false },
      { kind: 'command', words: ['node', 'a.ts', '-t'], output: '1', line: 7, beside: false, asksForCode: true },
    ]);
  });

  test('transcript refuses output without a command, and blocks without an end', () => {
    expect(() => transcript('```console\nlost output\n```')).toThrow(/line 2: a console block begins with a command/);
    expect(() => transcript('```console\n$ ls')).toThrow(/line 1 is not closed/);
  });

  test('shellWords knows both kinds of quotes', () => {
    expect(shellWords(`a 'b "c"' "d \\"e\\"" f='g h'`)).toEqual(['a', 'b "c"', 'd "e"', 'f=g h']);
  });

  test('withoutChance hides dates, ports and measured times, and nothing else', () => {
    expect(withoutChance('Date: Sat, 21 Nov 2026 00:43:29 GMT\nAge: 1\n')).toBe('Date: (a date)\nAge: 1');
    expect(withoutChance('127.0.0.1:6188 took 3.1 ms, next in 100 ms')).toBe(
      '127.0.0.1:(port) took (time) ms, next in 100 ms',
    );
    expect(withoutChance('"service":"x","worker":1,"msg":"y"')).toBe('"service":"x","msg":"y"');
    expect(withoutChance('date: today\none.example:6200, process 4711, one.example')).toBe(
      'date: (a date)\none.example:(port), process (id), one.example',
    );
  });
});

describe('markdown', () => {
  test('codeBlocks gives what stands before a block and is not shown', () => {
    const [block] = codeBlocks('<!-- other --> <!-- before:\nconst a = 1;\n-->\n\n```ts\na;\n```\n');
    expect(block).toEqual({ info: 'ts', code: 'a;', line: 6, before: 'const a = 1;' });
    expect(codeBlocks('<!-- before: x -->\ntext\n```ts\n```')[0]?.before).toBe('');
  });

  test('localLinks leaves out addresses and code', () => {
    const text = '[a](b.md#c) `[x](y)` [d](https://e.f/) ![g](h.png)\n```md\n[i](j)\n```\n[k](#l)';
    expect(localLinks(text)).toEqual(['b.md#c', 'h.png', '#l']);
  });

  test('anchors are those of GitHub', () => {
    expect([...anchors('# A, b: `c`\n```\n# no\n```\n## What is *that*?')]).toEqual(['a-b-c', 'what-is-that']);
  });
});
