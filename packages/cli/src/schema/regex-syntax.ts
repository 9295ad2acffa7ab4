/**
 * The structure of a regular expression that the engine has accepted, as far as the time of its matching depends on it.
 */

/** Characters: a bit for each of ASCII, and one for all others. */
export type CharSet = bigint;

/** A part of a pattern. */
export type RegexNode =
  | { readonly kind: 'chars'; readonly set: CharSet }
  | { readonly kind: 'start' }
  /** Takes no characters: `$`, `\b`. */
  | { readonly kind: 'assertion' }
  | { readonly kind: 'look'; readonly node: RegexNode }
  | { readonly kind: 'reference' }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly least: number; readonly most: number };

/** Every character. */
export const ALL_CHARS: CharSet = (1n << 129n) - 1n;

/** The characters that are tried: ASCII, and one for all others. */
const SAMPLES: readonly string[] = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), '\u{fffd}'];

const ESCAPE = /^\\(?:x[\da-f]{2}|u[\da-f]{4}|c[a-z]|[\s\S])/i;
const CLASS = /^\[(?:\\[\s\S]|[^\]\\])*\]/;
const GROUP = /^\((?:\?(?:(?<look>=|!|<=|<!)|<[^>]*>|[a-z-]*:))?/;
const QUANTIFIER = /^(?:(?<sign>[*+?])|\{(?<least>\d+)(?:(?<comma>,)(?<most>\d*))?\})\??/;

/** Reads a pattern, which must be valid. */
export function regexSyntax(pattern: string): RegexNode {
  return new Reader(pattern).alternatives();
}

class Reader {
  #rest: string;
  readonly #sets = new Map<string, CharSet>();

  constructor(pattern: string) {
    this.#rest = pattern;
  }

  /** Up to the closing parenthesis or the end. */
  alternatives(): RegexNode {
    const nodes = [this.#sequence()];
    while (this.#take(/^\|/) !== undefined) nodes.push(this.#sequence());
    return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: 'alternatives', nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (this.#rest !== '' && !/^[|)]/.test(this.#rest)) nodes.push(this.#quantified(this.#atom()));
    return { kind: 'sequence', nodes };
  }

  #atom(): RegexNode {
    const group = this.#take(GROUP);
    if (group !== undefined) return this.#group(group.groups?.look !== undefined);
    const [text] = this.#take(CLASS) ?? this.#take(ESCAPE) ?? (this.#take(/^[\s\S]/) as RegExpExecArray);
    if (text === '^') return { kind: 'start' };
    if (text === '$' || text === '\\b' || text === '\\B') return { kind: 'assertion' };
    return /^\\[1-9k]/.test(text) ? { kind: 'reference' } : { kind: 'chars', set: this.#setOf(text) };
  }

  #group(isLook: boolean): RegexNode {
    const node = this.alternatives();
    this.#take(/^\)/);
    return isLook ? { kind: 'look', node } : node;
  }

  #quantified(node: RegexNode): RegexNode {
    const found = this.#take(QUANTIFIER)?.groups;
    if (found === undefined) return node;
    const { sign, least: from = '', comma, most: to = '' } = found;
    if (sign !== undefined)
      return { kind: 'repeat', node, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    const least = Number(from);
    if (comma === undefined) return { kind: 'repeat', node, least, most: least };
    return { kind: 'repeat', node, least, most: to === '' ? Number.POSITIVE_INFINITY : Number(to) };
  }

  /** Which characters an atom takes: the engine is asked. */
  #setOf(atom: string): CharSet {
    const known = this.#sets.get(atom);
    if (known !== undefined) return known;
    const test = new RegExp(`^${/^[{}\]]$/.test(atom) ? `\\${atom}` : atom}$`);
    let set = 0n;
    for (const [index, char] of SAMPLES.entries()) if (test.test(char)) set |= 1n << BigInt(index);
    // A letter outside of ASCII is one of "all others".
    if (set === 0n) set = 1n << 128n;
    this.#sets.set(atom, set);
    return set;
  }

  #take(token: RegExp): RegExpExecArray | undefined {
    const found = token.exec(this.#rest);
    if (found === null) return undefined;
    this.#rest = this.#rest.slice(found[0].length);
    return found;
  }
}
