/**
 * Reads what a page promises: its code blocks as a list of steps.
 *
 * In a `console` block a line that begins with `$ ` is a command and the lines up to the next one are its output. In a
 * `console server` block every line is one that the program started last writes while it is running. A block of any
 * kind that begins with a comment naming a file, `// lb.ts` or `# conf.yaml`, is that file from there on.
 */
import { codeBlocks } from './markdown.ts';

export type Step =
  | { readonly kind: 'file'; readonly name: string; readonly code: string; readonly line: number }
  | Command
  | { readonly kind: 'server'; readonly output: string; readonly line: number };

interface Command {
  readonly kind: 'command';
  readonly words: readonly string[];
  readonly output: string;
  readonly line: number;
  /** It ends with `&`: the program runs beside the next ones. */
  readonly beside: boolean;
  /** It ends with `; echo $?`: the program ends by itself, and the last line of output is its exit code. */
  readonly asksForCode: boolean;
}

/** The steps of a page, in their order. */
export function transcript(text: string): Step[] {
  const steps: Step[] = [];
  for (const { info, code, line } of codeBlocks(text)) {
    const name = /^(?:\/\/|#) ([\w.-]+\.(?:ts|yaml))\b/.exec(code)?.[1];
    if (name !== undefined) steps.push({ kind: 'file', name, code: `${code}\n`, line });
    else if (info === 'console server') steps.push({ kind: 'server', output: code, line });
    else if (info === 'console') steps.push(...commands(code, line));
  }
  return steps;
}

function commands(code: string, firstLine: number): Step[] {
  const steps: Step[] = [];
  const lines = code.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = firstLine + at;
    let command = lines[at] as string;
    if (!command.startsWith('$ ')) throw new Error(`line ${line}: a console block begins with a command`);
    while (command.endsWith('\\')) command = `${command.slice(0, -1)}${(lines[++at] ?? '').trim()}`;
    const output: string[] = [];
    while (at + 1 < lines.length && !lines[at + 1]?.startsWith('$ ')) output.push(lines[++at] as string);
    steps.push({ kind: 'command', output: output.join('\n'), line, ...parts(command.slice(2)) });
  }
  return steps;
}

function parts(command: string): Pick<Command, 'words' | 'beside' | 'asksForCode'> {
  const [, plain = '', suffix] = /^(.*?)( &|; echo \$\?)?$/s.exec(command) ?? [];
  return { words: shellWords(plain), beside: suffix === ' &', asksForCode: suffix === '; echo $?' };
}

/** Splits a command as a shell does, as far as quotes go; a `|` is a word of its own. */
export function shellWords(command: string): string[] {
  const parts = command.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g);
  return Array.from(parts, ([part]) =>
    part.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, (_, single?: string, double?: string) =>
      single === undefined ? (double ?? '').replace(/\\(["\\$`])/g, '$1') : single,
    ),
  );
}

/** What differs from run to run, replaced: dates, ports, processes, measured times, who writes a log line and when. */
export function withoutChance(text: string): string {
  return text
    .replace(/^(date): .*$/gim, '$1: (a date)')
    .replace(/\b(127\.0\.0\.1|0\.0\.0\.0|\w+\.example):\d+/g, '$1:(port)')
    .replace(/\bprocess \d+/g, 'process (id)')
    .replace(/\d+\.\d+( ?)ms\b/g, '(time)$1ms')
    .replace(/\b\d+ seconds\b/g, '(some) seconds')
    .replace(/"time":\d+,"pid":\d+,"hostname":"[^"]*"/g, '"time":(now),"pid":(it),"hostname":(here)')
    .replace(/"(durationMs|clientPort|successor)":[\d.]+/g, '"$1":(some)')
    .replace(/"worker":\d+,/g, '') // whether there are threads, and which one it was
    .replace(/\b[0-9a-f]{12}-[0-9a-z]+\b/g, '(request id)')
    .replace(/"userAgent":"curl[^"]*"/g, '"userAgent":(curl)')
    .replace(/\[\d\d\/\w{3}\/\d{4}:[\d:]{8} [+-]\d{4}\]/g, '[(now)]')
    .trimEnd();
}
