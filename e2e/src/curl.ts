/**
 * curl as a client: runs it and reads what it prints.
 */
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { runTool, type ToolOptions } from './run-tool.ts';

/** One head that curl printed. */
export interface CurlHead {
  /** `1.1` or `2`. */
  readonly version: string;
  readonly status: number;
  /** Lower-case names; lines of the same name joined with `, `. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface CurlAnswer extends CurlHead {
  readonly body: string;
  /** Heads of informational responses, in order. */
  readonly interim: readonly CurlHead[];
  /** Trailers, as fields. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Bounded, silent but for errors, and never through a proxy that the environment names. */
const COMMON = ['-sS', '--max-time', '10', '--noproxy', '*'];

export class Curl {
  readonly #path: string;
  readonly #headFile: string;

  /** @param headFile where it may write what is not body; one exchange at a time. */
  constructor(path: string, headFile: string) {
    this.#path = path;
    this.#headFile = headFile;
  }

  /** What it prints. Fails unless it ends well. */
  async print(args: readonly string[], options?: ToolOptions): Promise<string> {
    const { code, stdout, stderr } = await runTool(this.#path, [...COMMON, ...args], options);
    expect(code, `exit code of curl: ${stderr}`).toBe(0);
    return stdout;
  }

  /** Its exit code when it does not end well, which names the reason (see its manual). */
  async fail(args: readonly string[]): Promise<number | undefined> {
    const { code, stderr } = await runTool(this.#path, [...COMMON, '-o', '/dev/null', ...args]);
    expect(code, `exit code of curl: ${stderr}`).not.toBe(0);
    return code;
  }

  /** One exchange, taken apart. */
  async ask(args: readonly string[], options?: ToolOptions): Promise<CurlAnswer> {
    const body = await this.print(['-D', this.#headFile, ...args], options);
    const sections = (await readFile(this.#headFile, 'latin1')).split('\r\n\r\n');
    const heads: CurlHead[] = [];
    while ((heads.at(-1)?.status ?? 100) < 200) heads.push(readHead(sections.shift() ?? ''));
    const head = heads.pop() as CurlHead;
    return { ...head, body, interim: heads, trailers: readFields(sections.join('\r\n').split('\r\n')) };
  }
}

function readHead(text: string): CurlHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^HTTP\/(\S+) (\d{3})/.exec(first) ?? [];
  if (version === undefined) throw new Error(`curl noted no status line: ${JSON.stringify(text)}`);
  return { version, status: Number(status), fields: readFields(lines) };
}

function readFields(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    fields[name] = name in fields ? `${fields[name]}, ${value}` : value;
  }
  return fields;
}
