/**
 * Refuses regular expressions whose matching can take exponential time. Clients choose what is matched, and one long path must not stop
 * everybody.
 *
 * Stricter than necessary on purpose: a repetition without upper bound may not hold anything whose length or wording varies.
 */

/** Longer patterns are refused: nobody can check them by eye. */
const MAX_PATTERN_LENGTH = 1_000;

/** So many `.*` of one pattern share a text in at most cubic time. */
const MAX_WILD_REPEATS = 2;

/** Repetitions from this count on are as bad as endless ones. */
const MANY = 10;

/** What is known of a part of a pattern. */
interface Part {
  /** Its repetitions can share one text in several ways. */
  varies: boolean;
}

/** Why a pattern is refused, as the end of "is no usable pattern:"; undefined when it is fine. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `it has ${pattern.length} characters, ${MAX_PATTERN_LENGTH} are the most`;
  try {
    new RegExp(pattern);
  } catch (error) {
    const reason = (error as Error).message;
    return reason.slice(reason.lastIndexOf(': ') + 2).toLowerCase();
  }
  return new Scan(pattern).problem();
}

/** How many groups a valid pattern captures. */
export function groupCount(pattern: string): number {
  return (new RegExp(`${pattern}|`).exec('')?.length ?? 1) - 1;
}

/** One pass over a pattern that the engine has accepted. */
class Scan {
  readonly #pattern: string;
  #at = 0;
  #wild = 0;
  #problem: string | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  problem(): string | undefined {
    this.#alternatives();
    if (this.#problem === undefined && this.#wild > MAX_WILD_REPEATS)
      return `more than ${MAX_WILD_REPEATS} times .* takes too long on long paths: use [^/]* where a segment is meant`;
    return this.#problem;
  }

  /** Up to the closing parenthesis or the end. */
  #alternatives(): Part {
    const firsts: (string | undefined)[] = [];
    let varies = false;
    for (;;) {
      const { part, first } = this.#sequence();
      varies ||= part.varies;
      firsts.push(first);
      if (this.#pattern[this.#at] !== '|') break;
      this.#at += 1;
    }
    const ambiguous = firsts.length > 1 && (firsts.includes(undefined) || new Set(firsts).size < firsts.length);
    return { varies: varies || ambiguous };
  }

  /** One alternative. `first`: the letter with which it begins, if there is only one. */
  #sequence(): { part: Part; first: string | undefined } {
    let varies = false;
    let first: string | undefined;
    for (let count = 0; this.#at < this.#pattern.length; count += 1) {
      const char = this.#pattern[this.#at] as string;
      if (char === '|' || char === ')') break;
      const atom = this.#atom(char);
      const { least, most } = this.#quantifier();
      if (most > 1 && atom.varies && most >= MANY) this.#refuse();
      if (most >= MANY && atom.wild) this.#wild += 1;
      varies ||= atom.varies || least !== most;
      if (count === 0 && least > 0) first = atom.letter;
    }
    return { part: { varies }, first };
  }

  #atom(char: string): Part & { wild: boolean; letter: string | undefined } {
    this.#at += 1;
    if (char === '(') return this.#group();
    if (char === '[') return this.#characterClass();
    if (char === '\\') {
      const escaped = this.#pattern[this.#at] ?? '';
      this.#at += 1;
      if (/[1-9k]/.test(escaped)) this.#problem ??= 'back references are not possible';
      return { varies: false, wild: /[DSW]/.test(escaped), letter: /[^\w]/.test(escaped) ? escaped : undefined };
    }
    const special = char === '.' || char === '^' || char === '$';
    return { varies: false, wild: char === '.', letter: special ? undefined : char };
  }

  #group(): Part & { wild: boolean; letter: undefined } {
    const opening = /^\?(?::|=|!|<=|<!|<[^>]*>|[a-z-]*:)/.exec(this.#pattern.slice(this.#at, this.#at + 80));
    this.#at += opening?.[0].length ?? 0;
    const { varies } = this.#alternatives();
    this.#at += 1;
    return { varies, wild: false, letter: undefined };
  }

  #characterClass(): Part & { wild: boolean; letter: undefined } {
    for (; this.#at < this.#pattern.length && this.#pattern[this.#at] !== ']'; this.#at += 1)
      if (this.#pattern[this.#at] === '\\') this.#at += 1;
    this.#at += 1;
    return { varies: false, wild: false, letter: undefined };
  }

  #quantifier(): { least: number; most: number } {
    const [all, star, from, comma, to] =
      /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#pattern.slice(this.#at, this.#at + 40)) ?? [];
    if (all === undefined) return { least: 1, most: 1 };
    this.#at += all.length;
    if (star !== undefined) return { least: star === '+' ? 1 : 0, most: star === '?' ? 1 : Number.POSITIVE_INFINITY };
    const least = Number(from);
    const most = comma === '' ? least : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    return { least, most };
  }

  #refuse(): void {
    this.#problem ??=
      'a repetition inside of a repetition can take exponential time: write (a|b)* as [ab]*, (a+)* as a*, (/[^/]+)* as /.*';
  }
}
