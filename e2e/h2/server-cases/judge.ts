/**
 * What the cases with requests have in common: rows for good and malformed ones, and judges of what arrived.
 */
import { answer, type H2Case, malformed } from '../../src/h2-case.ts';
import type { H2Field } from '../../src/h2-hpack.ts';

/** A malformed request: nothing of it reaches the origin whole. */
export function badRequest(name: string, source: string, fields: readonly H2Field[]): H2Case {
  return { name, source, play: (client) => void client.ask(fields), expect: malformed(), forwarded: 0 };
}

/** A request that is well-formed: the origin gets these field lines, and none of the names in `lacks`. */
export function goodRequest(
  name: string,
  source: string,
  fields: readonly H2Field[],
  lines: readonly string[],
  lacks: readonly string[] = [],
): H2Case {
  return {
    name,
    source,
    play: (client) => void client.ask(fields),
    expect: [answer()],
    check: ([arrived]) => {
      const got = arrived?.fields.map((field) => `${field.name.toLowerCase()}: ${field.value}`) ?? [];
      const missing = lines.filter((line) => !got.includes(line));
      const extra = got.filter((line) => lacks.some((name) => line.startsWith(`${name}:`)));
      if (missing.length + extra.length > 0)
        throw new Error(`missing ${missing}, not wanted ${extra}: ${got.join(' | ')}`);
    },
  };
}

/** @throws Error when the start line is another. */
export function startLineIs(line: string | undefined, wanted: string): void {
  if (line !== wanted) throw new Error(`start line at the origin: ${line}`);
}

/** @throws Error when the body is another. */
export function bodyIs(bytes: Buffer | undefined, text: string): void {
  if (bytes?.toString('latin1') !== text) throw new Error(`body ${JSON.stringify(bytes?.toString('latin1'))}`);
}
