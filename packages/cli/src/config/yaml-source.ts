/**
 * A YAML text as plain data, with the place of every part of it, for messages.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import { cut, type DocumentPath, pathOf, printPath, printValue } from './document-path.ts';
import { type Environment, type Substitution, substituteEnvironment } from './environment.ts';
import type { GatewayProblem } from './gateway-config-error.ts';

/** How often aliases may be expanded in one file, so that a few lines cannot become gigabytes. */
const MAX_ALIASES = 100;

/** Longest key that is looked for in the text. */
const MAX_KEY = 60;

const QUOTE_VARIABLES = `within [ ] and { } variables are written in quotes: "\${NAME}"`;

/** A text that has been read. Problems are collected, not thrown. */
export class YamlSource {
  readonly problems: GatewayProblem[] = [];
  /** The document as plain data; undefined when it cannot be read. */
  readonly value: unknown;
  readonly #file: string;
  readonly #text: string;
  readonly #lines: LineCounter = new LineCounter();
  readonly #document: Document.Parsed | undefined;
  #substitution: Substitution = { substituted: new Map(), failed: new Set() };

  constructor(text: string, file: string, env: Environment) {
    this.#file = file;
    this.#text = text;
    this.#document = this.#attempt(() =>
      parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, logLevel: 'error', merge: true }),
    );
    this.value = this.#document === undefined ? undefined : this.#read(this.#document, env);
  }

  /** Adds a problem, at the value of a path, or at its key. */
  problem(path: DocumentPath, message: string, where: 'value' | 'key' = 'value'): void {
    this.problems.push(this.at(path, message, where));
  }

  /** A problem that is not added. */
  at(path: DocumentPath, message: string, where: 'value' | 'key' = 'value'): GatewayProblem {
    return this.#at(this.#offset(path, where), printPath(path), message);
  }

  /** A value as messages show it: short, and never one that comes from the environment. */
  shown(path: DocumentPath): string {
    const written = this.#substitution.substituted.get(this.#find(path)?.value);
    if (written !== undefined) return `the value of ${cut(written)}`;
    return printValue(this.valueAt(path));
  }

  /** Whether the value comes from the environment. */
  isSubstituted(path: DocumentPath): boolean {
    return this.#substitution.substituted.has(this.#find(path)?.value);
  }

  /** Whether a variable in the value could not be replaced, which has been reported. */
  isUnknown(path: DocumentPath): boolean {
    return this.#substitution.failed.has(this.#find(path)?.value);
  }

  /** The value at a path; undefined when there is none. */
  valueAt(path: DocumentPath): unknown {
    let value = this.value;
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<PropertyKey, unknown>)[key];
    }
    return value;
  }

  #read(document: Document.Parsed, env: Environment): unknown {
    const duplicates = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY');
    for (const { pos } of duplicates)
      this.problems.push(this.#at(pos[0], this.#wordAt(pos[0]), 'is there twice in one map: keep one'));
    // What follows the first error of syntax is its echo.
    const [error] = document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY');
    if (error !== undefined) {
      this.problems.push(this.#at(error.pos[0], '', this.#syntaxError(error)));
      return undefined;
    }
    return this.#attempt((): unknown => {
      const before = this.problems.length;
      checkStructure(document, (at, message) => this.problems.push(this.#at(at, '', message)));
      if (this.problems.length > before) return undefined;
      this.#substitution = substituteEnvironment(document, env, (node, ancestors, message) => {
        const path = printPath(pathOf([...ancestors, node]));
        this.problems.push(this.#at(node.range?.[0] ?? 0, path, message));
      });
      return document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    });
  }

  #syntaxError({ code, message, pos: [at] }: YAMLParseError): string {
    if (code === 'MULTIPLE_DOCS') return 'a file is one document: remove everything from --- on';
    const isVariable = this.#text.slice(at - 1, at + 1) === '${';
    return `not valid YAML: ${isVariable ? QUOTE_VARIABLES : message}`;
  }

  #wordAt(offset: number): string {
    return /^[^:\s]*/.exec(this.#text.slice(offset, offset + MAX_KEY))?.[0] ?? '';
  }

  /** Runs a step of the YAML library, whose limits (aliases, nesting) are reported by throwing. */
  #attempt<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.problems.push(this.#at(0, '', `not usable YAML: ${reason}`));
      return undefined;
    }
  }

  #at(offset: number, path: string, message: string): GatewayProblem {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col), key: path, path, message };
  }

  /** Of the nearest part that is there: for a missing key that is its map. */
  #offset(path: DocumentPath, where: 'value' | 'key'): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = this.#find(path.slice(0, length));
      if (found === undefined) continue;
      const useKey = where === 'key' || length < path.length;
      const node = useKey ? (found.key ?? found.value) : (found.value ?? found.key);
      const offset = (node as Node | null)?.range?.[0];
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  #find(path: DocumentPath): { key: unknown; value: unknown } | undefined {
    let found: { key: unknown; value: unknown } = { key: undefined, value: this.#document?.contents };
    for (const step of path) {
      const next = this.#child(found.value, step);
      if (next === undefined) return undefined;
      found = next;
    }
    return found;
  }

  #child(parent: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
    const node = this.#resolved(parent);
    if (isSeq(node)) {
      const value = typeof step === 'number' || typeof step === 'string' ? node.items[Number(step)] : undefined;
      return value === undefined ? undefined : { key: undefined, value };
    }
    if (!isMap(node)) return undefined;
    const pairs = node.items as Pair[];
    const own = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (own !== undefined) return { key: own.key, value: this.#resolved(own.value) };
    for (const { key, value } of pairs) {
      if (!isScalar(key) || (key.value !== '<<' && typeof key.value !== 'symbol')) continue;
      const merged = this.#resolved(value);
      const sources = isSeq(merged) ? merged.items : [merged];
      for (const source of sources) {
        const inherited = this.#child(source, step);
        if (inherited !== undefined) return inherited;
      }
    }
    return undefined;
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) && this.#document !== undefined ? node.resolve(this.#document) : node;
  }
}

/** Keys are plain texts, and none that JavaScript has its own ideas about; aliases lead somewhere. */
function checkStructure(document: Document, refuse: (at: number, message: string) => unknown): void {
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined)
        refuse(alias.range?.[0] ?? 0, `the alias *${alias.source} has no anchor &${alias.source} before it`);
    },
    Pair(_, { key, value }) {
      const at = (key as Node | null)?.range?.[0] ?? 0;
      if (!isScalar(key)) refuse(at, 'keys must be texts');
      else if (key.value === '__proto__') refuse(at, '__proto__ cannot be a key');
      else if (String(key.value).endsWith('$') && isMap(value) && value.flow === true)
        refuse(at, `not valid YAML: ${QUOTE_VARIABLES}`);
    },
  });
}
