/**
 * Header fields of one message: ordered, case-preserving, looked up without regard to case.
 *
 * A parsed message arrives as one block of text that was validated byte by byte. The block is kept and sent on as it
 * is; fields are found in it only when somebody asks, and edits are notes beside it. So a proxy that touches no
 * field pays for none (measured: rebuilding both heads costs 3 us of about 14).
 */
import {
  cutLines,
  indexFields,
  isNamedAt,
  isSameName,
  nameBit,
  replaceLines,
  startsLine,
  valueOfSpelt,
} from './field-block.ts';
import { HOP_BY_HOP_FIELDS, isHopByHop } from './hop-by-hop.ts';
import { assertField, parseContentLength } from './validate.ts';

const LENGTH_UNKNOWN = -2;

/** A multimap of header fields. Names given by callers may be in any case. */
export class HeaderMap {
  /** `Name: value\r\n` lines as they came; never edited in place. */
  #block: string;
  /** Four numbers per field of the block (name start, name end, value start, value end); found on first use. */
  #offsets: readonly number[] | undefined;
  /** Per field of the block: undefined as it came, false removed, a string is its new value. */
  #edits: (string | false | undefined)[] | undefined;
  /** Appended fields: name, value, name, value. */
  #added: string[] | undefined;
  /** Start and end of every hop-by-hop line of the block, from the parser; undefined when not known. */
  #hopLines: readonly number[] | undefined;
  /** One bit per kind of name in the block, see {@link nameBit}: a clear bit says that no such field is there. */
  #names: number;
  /** A hop-by-hop field was added after the parse. */
  #hopAdded = false;
  #contentLength: number = LENGTH_UNKNOWN;

  private constructor(block: string, hopLines: readonly number[] | undefined, names: number) {
    this.#block = block;
    this.#hopLines = hopLines;
    this.#names = names;
  }

  static empty(): HeaderMap {
    return new HeaderMap('', NO_LINES, 0);
  }

  /** A map of the given fields, in their order. @throws CirqueError InvalidHTTPHeader */
  static from(
    fields: Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[]>>,
  ): HeaderMap {
    const map = HeaderMap.empty();
    const entries =
      Symbol.iterator in fields ? (fields as Iterable<readonly [string, string]>) : Object.entries(fields);
    for (const [name, value] of entries) {
      if (Array.isArray(value)) for (const one of value) map.append(name, one);
      else map.append(name, value as string);
    }
    return map;
  }

  /**
   * A map over text that a parser has validated: lines of `name ":" OWS value CRLF`, no folds.
   *
   * @param hopLines start and end offsets of the hop-by-hop lines in it, ascending.
   * @param contentLength the value of its only Content-Length field, -1 when there is none.
   * @param names the {@link nameBit}s of all its names together; by default every bit is set.
   */
  static fromBlock(block: string, hopLines: readonly number[], contentLength: number, names = -1): HeaderMap {
    const map = new HeaderMap(block, hopLines, names);
    map.#contentLength = contentLength;
    return map;
  }

  /** Value of the first field of that name. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    const offsets = this.#mayHave(wanted) ? this.#index() : NO_LINES;
    for (let field = 0; field * 4 < offsets.length; field++) {
      const edit = this.#edits?.[field];
      if (edit !== false && this.#isNamed(offsets, field, wanted)) return edit ?? this.#originalValue(offsets, field);
    }
    const added = this.#added;
    if (added !== undefined) {
      for (let at = 0; at < added.length; at += 2) {
        if (isSameName(added[at] as string, wanted)) return added[at + 1];
      }
    }
    return undefined;
  }

  /**
   * As {@link get}, for a look at one or two fields of a head that nobody else looks into, such as a log's. Quick for a name
   * spelt as it came (`Referer`): the block is searched as text. Of several fields it is the first one in that spelling.
   */
  peek(name: string): string | undefined {
    const searched = this.#edits === undefined && this.#offsets === undefined && this.#mayHave(name);
    return (searched ? valueOfSpelt(this.#block, name) : undefined) ?? this.get(name);
  }

  /** Values of all fields of that name, in order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (const [field, value] of this) if (isSameName(field, wanted)) values.push(value);
    return values;
  }

  /** True when there is such a field. Quick for a name spelt as it came (`Date`): the block is searched as text. */
  has(name: string): boolean {
    if (this.#edits === undefined && this.#offsets === undefined && startsLine(this.#block, name)) return true;
    return this.get(name) !== undefined;
  }

  /**
   * Replaces every field of that name by one, at the place of the first and in its spelling; without one it is added
   * after all others. @throws CirqueError InvalidHTTPHeader
   */
  set(name: string, value: string): void {
    assertField(name, value);
    const wanted = name.toLowerCase();
    if (!this.#replaceFirst(wanted, value)) this.#push(name, value);
    this.#touched(wanted);
  }

  /** Adds a field after all others. @throws CirqueError InvalidHTTPHeader */
  append(name: string, value: string): void {
    assertField(name, value);
    this.#push(name, value);
    this.#touched(name.toLowerCase());
  }

  /** Removes every field of that name; true when there was one. */
  delete(name: string): boolean {
    const wanted = name.toLowerCase();
    this.#touched(wanted);
    return this.#removeAll(wanted, -1);
  }

  /** Number of fields. */
  get size(): number {
    let size = 0;
    for (const _ of this) size += 1;
    return size;
  }

  /** Names as spelt and values, in order. */
  *[Symbol.iterator](): Generator<[string, string]> {
    const offsets = this.#index();
    for (let field = 0; field * 4 < offsets.length; field++) {
      const edit = this.#edits?.[field];
      if (edit !== false) yield [this.#originalName(offsets, field), edit ?? this.#originalValue(offsets, field)];
    }
    const added = this.#added;
    if (added === undefined) return;
    for (let at = 0; at < added.length; at += 2) yield [added[at] as string, added[at + 1] as string];
  }

  /** Calls back with each name as spelt and its value, in order; cheaper than iterating. */
  forEach(visit: (name: string, value: string) => void): void {
    const offsets = this.#index();
    const edits = this.#edits;
    for (let field = 0; field * 4 < offsets.length; field++) {
      const edit = edits?.[field];
      if (edit !== false) visit(this.#originalName(offsets, field), edit ?? this.#originalValue(offsets, field));
    }
    const added = this.#added;
    if (added === undefined) return;
    for (let at = 0; at < added.length; at += 2) visit(added[at] as string, added[at + 1] as string);
  }

  /** Lower-case names to values; several values of a name are in one array. For logs and tests. */
  toJSON(): Record<string, string | string[]> {
    const out: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
    for (const [name, value] of this) {
      const key = name.toLowerCase();
      const present = out[key];
      if (present === undefined) out[key] = value;
      else if (typeof present === 'string') out[key] = [present, value];
      else present.push(value);
    }
    return out;
  }

  /** An independent copy; costs no work per field. */
  clone(): HeaderMap {
    const copy = new HeaderMap(this.#block, this.#hopLines, this.#names);
    copy.#hopAdded = this.#hopAdded;
    copy.#offsets = this.#offsets;
    copy.#edits = this.#edits?.slice();
    copy.#added = this.#added?.slice();
    copy.#contentLength = this.#contentLength;
    return copy;
  }

  /**
   * The Content-Length as a number: -1 when absent.
   * A value that is not 1*DIGIT, or several fields, give NaN: a message with it must not be sent.
   */
  get contentLength(): number {
    if (this.#contentLength === LENGTH_UNKNOWN) this.#contentLength = this.#readContentLength();
    return this.#contentLength;
  }

  /** Removes every hop-by-hop field (RFC 9110 section 7.6.1) and the nominated ones. */
  stripHopByHop(nominated: readonly string[] | undefined): void {
    const lines = this.#hopLines;
    if (lines === undefined || this.#edits !== undefined || this.#hopAdded) {
      for (const name of HOP_BY_HOP_FIELDS) this.#removeAll(name, -1);
    } else if (lines.length > 0) {
      this.#block = cutLines(this.#block, lines);
      this.#offsets = undefined;
    }
    this.#hopLines = NO_LINES;
    this.#hopAdded = false;
    if (nominated !== undefined) for (const name of nominated) this.delete(name);
  }

  /** True when the map may hold hop-by-hop fields: the parser saw some, or somebody added one. */
  get mayHoldHopByHop(): boolean {
    return this.#hopLines === undefined || this.#hopLines.length > 0 || this.#hopAdded;
  }

  /** The field lines, each ended by CRLF, without the empty line that ends a head. */
  serialize(): string {
    const out = this.#edits === undefined ? this.#block : replaceLines(this.#block, this.#index(), this.#edits);
    const added = this.#added;
    if (added === undefined) return out;
    let lines = out;
    for (let at = 0; at < added.length; at += 2) lines += `${added[at]}: ${added[at + 1]}\r\n`;
    return lines;
  }

  #index(): readonly number[] {
    this.#offsets ??= indexFields(this.#block);
    return this.#offsets;
  }

  #originalName(offsets: readonly number[], field: number): string {
    return this.#block.slice(offsets[field * 4], offsets[field * 4 + 1]);
  }

  #originalValue(offsets: readonly number[], field: number): string {
    return this.#block.slice(offsets[field * 4 + 2], offsets[field * 4 + 3]);
  }

  #isNamed(offsets: readonly number[], field: number, lower: string): boolean {
    return isNamedAt(this.#block, offsets[field * 4] as number, offsets[field * 4 + 1] as number, lower);
  }

  /** False when the block certainly has no field of that name, known without looking into it. */
  #mayHave(name: string): boolean {
    return (this.#names & nameBit(name.length, name.charCodeAt(0))) !== 0;
  }

  #replaceFirst(lower: string, value: string): boolean {
    if (!this.#mayHave(lower)) return this.#replaceFirstAdded(lower, value);
    const offsets = this.#index();
    for (let field = 0; field * 4 < offsets.length; field++) {
      if (this.#edits?.[field] === false || !this.#isNamed(offsets, field, lower)) continue;
      this.#edits ??= new Array(offsets.length / 4).fill(undefined);
      this.#edits[field] = value;
      this.#removeAll(lower, field);
      return true;
    }
    return this.#replaceFirstAdded(lower, value);
  }

  #replaceFirstAdded(lower: string, value: string): boolean {
    const added = this.#added;
    if (added === undefined) return false;
    for (let at = 0; at < added.length; at += 2) {
      if (!isSameName(added[at] as string, lower)) continue;
      added[at + 1] = value;
      this.#removeAdded(lower, at + 2);
      return true;
    }
    return false;
  }

  /** Removes all fields of that name but the one at index `except` of the block. */
  #removeAll(lower: string, except: number): boolean {
    let removed = this.#removeAdded(lower, 0);
    if (!this.#mayHave(lower)) return removed;
    const offsets = this.#index();
    for (let field = 0; field * 4 < offsets.length; field++) {
      if (field === except || this.#edits?.[field] === false || !this.#isNamed(offsets, field, lower)) continue;
      this.#edits ??= new Array(offsets.length / 4).fill(undefined);
      this.#edits[field] = false;
      removed = true;
    }
    return removed;
  }

  #removeAdded(lower: string, from: number): boolean {
    const added = this.#added;
    if (added === undefined) return false;
    let removed = false;
    for (let at = added.length - 2; at >= from; at -= 2) {
      if (!isSameName(added[at] as string, lower)) continue;
      added.splice(at, 2);
      removed = true;
    }
    return removed;
  }

  #push(name: string, value: string): void {
    this.#added ??= [];
    this.#added.push(name, value);
  }

  #touched(lower: string): void {
    if (lower === 'content-length') this.#contentLength = LENGTH_UNKNOWN;
    else if (isHopByHop(lower)) this.#hopAdded = true;
  }

  #readContentLength(): number {
    const values = this.getAll('content-length');
    if (values.length === 0) return -1;
    const length = values.length === 1 ? parseContentLength(values[0] as string) : -1;
    return length < 0 ? Number.NaN : length;
  }
}

const NO_LINES: readonly number[] = [];
