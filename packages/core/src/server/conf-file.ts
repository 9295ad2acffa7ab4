/**
 * Reads a YAML configuration file into settings. Every problem of the file is found before any is reported.
 *
 * Keys that are not ours are kept for the user; keys that Pingora knows but this version does not honour are refused.
 */
import { readFileSync, statSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { ConfigurationError, type ConfigurationProblem } from './conf-error.ts';
import { CONFIGURATION_KEYS, UNSUPPORTED_KEYS } from './conf-keys.ts';
import { nearestWord } from './nearest-word.ts';
import { printValue, type ServerConfiguration, serverConfiguration } from './server-conf.ts';

/** The largest file that is read, in bytes. */
const MAX_FILE_BYTES = 1_048_576;

/** How often aliases may be expanded in one file, so that a few lines cannot become gigabytes. */
const MAX_ALIASES = 100;

/** A configuration and what looks odd in it. */
export interface LoadedConfiguration {
  readonly configuration: ServerConfiguration;
  /** Sentences for the log: keys that look misspelt, odd YAML. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks a configuration file.
 *
 * @param name what problems are reported under: the path as the user has written it, say.
 * @throws ConfigurationError when it cannot be read, is not YAML, or has wrong values.
 */
export function loadConfiguration(path: string, name: string = path): LoadedConfiguration {
  return parseConfiguration(readText(path, name), name);
}

/**
 * Checks the text of a configuration file. An empty text gives the defaults.
 *
 * @param file the name that problems are reported under.
 * @throws ConfigurationError listing every problem.
 */
export function parseConfiguration(text: string, file = 'configuration'): LoadedConfiguration {
  const lines = new LineCounter();
  const reader = new Reader(file, text, lines);
  const document = reader.attempt(() =>
    parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' }),
  );
  if (document !== undefined) reader.read(document);
  return reader.finish();
}

/** One pass over one file. */
class Reader {
  readonly #file: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #problems: ConfigurationProblem[] = [];
  readonly #warnings: string[] = [];
  readonly #known: Record<string, unknown> = {};
  readonly #extra: [string, unknown][] = [];

  constructor(file: string, text: string, lines: LineCounter) {
    this.#file = file;
    this.#text = text;
    this.#lines = lines;
  }

  read(document: Document.Parsed): void {
    for (const { code, message, pos } of document.errors) {
      const duplicate = code === 'DUPLICATE_KEY' ? this.#wordAt(pos[0]) : undefined;
      this.#problem(
        pos[0],
        duplicate,
        duplicate === undefined ? `not valid YAML: ${message}` : 'is there twice; keep one',
      );
    }
    for (const { message, pos } of document.warnings) this.#warn(pos[0], message);
    if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return;
    const values = this.attempt(() => document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown);
    if (values === undefined || values === null) return;
    if (isMap(document.contents))
      for (const pair of document.contents.items) this.#pair(pair as Pair<Node, Node | null>, values);
    else this.#problem(0, undefined, `must be a list of "key: value" lines, got ${printValue(values)}`);
  }

  finish(): LoadedConfiguration {
    if (this.#problems.length > 0) throw new ConfigurationError(this.#file, this.#problems);
    const extra = Object.fromEntries(this.#extra);
    return { configuration: serverConfiguration({ ...this.#known, extra }), warnings: this.#warnings };
  }

  /** Runs a step of the YAML library, whose limits (aliases, nesting) are reported by throwing. */
  attempt<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.#problem(undefined, undefined, `not usable YAML: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #pair({ key: keyNode, value: valueNode }: Pair<Node, Node | null>, values: unknown): void {
    const at = keyNode.range?.[0] ?? 0;
    const key = isScalar(keyNode) ? keyNode.value : undefined;
    if (typeof key !== 'string') {
      this.#problem(at, undefined, `keys must be text, got ${printValue(isAlias(keyNode) ? 'an alias' : key)}`);
      return;
    }
    const value = (values as Record<string, unknown>)[key];
    const row = CONFIGURATION_KEYS.find((one) => one.key === key);
    if (row === undefined) this.#foreign(key, value, at);
    else if (row.accepts(value)) this.#known[row.name] = value;
    else this.#problem(valueNode?.range?.[0] ?? at, key, `must be ${row.expects}, got ${printValue(value)}`);
  }

  #foreign(key: string, value: unknown, at: number): void {
    const snake = snakeCase(key);
    const known = CONFIGURATION_KEYS.find((row) => row.key === snake);
    const unsupported = Object.hasOwn(UNSUPPORTED_KEYS, snake) ? UNSUPPORTED_KEYS[snake] : undefined;
    if (unsupported !== undefined) this.#problem(at, key, `not supported: ${unsupported}; remove it`);
    else if (known !== undefined) this.#problem(at, key, `keys are written in snake_case; write ${known.key}`);
    else {
      this.#extra.push([key, value]);
      const nearest = nearestWord(
        snake,
        CONFIGURATION_KEYS.map((row) => row.key),
      );
      if (nearest !== undefined) this.#warn(at, `${key} is not a known key; did you mean ${nearest}?`);
    }
  }

  #problem(at: number | undefined, key: string | undefined, message: string): void {
    const place = at === undefined ? undefined : this.#lines.linePos(at);
    this.#problems.push({ line: place?.line, column: place?.col, key, message });
  }

  #warn(at: number, message: string): void {
    const { line, col } = this.#lines.linePos(at);
    this.#warnings.push(`${this.#file}:${line}:${col}: ${message}`);
  }

  #wordAt(offset: number): string {
    return /^[^:\s]*/.exec(this.#text.slice(offset, offset + 80))?.[0] ?? '';
  }
}

/** `gracePeriodSeconds`, `grace-period-seconds` and `Grace_Period_Seconds` as `grace_period_seconds`. */
function snakeCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

function readText(path: string, name: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new Error(`has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot be read: ${reason}`;
    throw new ConfigurationError(name, [{ line: undefined, column: undefined, key: undefined, message }], error);
  }
}
