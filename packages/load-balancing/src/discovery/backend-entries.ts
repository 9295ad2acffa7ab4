/**
 * Reads lists of backends that come from outside: JSON, and lines of text.
 *
 * The one place that knows how an entry is spelled; errors name the list, the position and the field. Long lists are
 * read in steps.
 */
import { Backend } from '../backend.ts';
import { STEP_MASK, type Steps } from '../run-in-slices.ts';
import type { Discovered } from './discovery.ts';

/** How a list is written. */
export type ListFormat = 'json' | 'lines';

/** What an entry may have. Everything but `address` has a default, for which null stands as well: that of `Backend.parse`. */
const FIELDS = ['address', 'weight', 'priority', 'maxConnections', 'enabled'] as const;
type Field = (typeof FIELDS)[number];
type Fields = { readonly [Name in Field]?: unknown };

/** What is read, and how it is called in errors. */
export interface ListText {
  /** A path, a URL. */
  readonly name: string;
  readonly text: string;
  readonly format: ListFormat;
  /** A list without entries is an answer, not an error. */
  readonly allowEmpty: boolean;
}

/**
 * Reads a list.
 *
 * `json`: an array of addresses and of objects `{ address, weight, priority, maxConnections, enabled }`. `lines`: an address per
 * line, and behind it `weight=2 priority=1 maxConnections=100 enabled=false` in any order; empty lines, and what follows a
 * `#`, count for nothing. The last line must end as the others do, as it may be cut off otherwise.
 *
 * Throws TypeError or RangeError for anything else, and for an empty list unless that is allowed.
 */
export function* readBackendList(list: ListText): Steps<Discovered> {
  const discovered = yield* list.format === 'json' ? readJson(list) : readLines(list);
  if (discovered.backends.length > 0 || list.allowEmpty) return discovered;
  throw new TypeError(`${list.name} has no backends; allowEmpty: true takes that for an answer`);
}

/** Collects entries. */
class Entries {
  readonly backends: Backend[] = [];
  readonly enabled = new Map<string, boolean>();

  /** An address that one entry switches off is off. */
  add(fields: Fields, where: string): void {
    const { address, maxConnections, priority, weight } = fields;
    const enabled = fields.enabled ?? true;
    if (typeof address !== 'string') throw new TypeError(`${where}.address must be a text, got ${shown(address)}`);
    if (typeof enabled !== 'boolean') {
      throw new TypeError(`${where}.enabled must be true or false, got ${shown(enabled)}`);
    }
    // Backend checks the numbers; what is no number comes out as none.
    const options = { weight, priority, maxConnections } as {
      [Name in 'weight' | 'priority' | 'maxConnections']?: number;
    };
    const backend = at(where, () => Backend.parse(address, options));
    this.backends.push(backend);
    if (!enabled) this.enabled.set(backend.address, false);
  }
}

function* readJson({ name, text }: ListText): Steps<Entries> {
  const list = parseJson(name, text);
  if (!Array.isArray(list)) throw new TypeError(`${name} must be a JSON array of backends, got ${shown(list)}`);
  const entries = new Entries();
  for (let index = 0; index < list.length; index += 1) {
    const where = `${name}[${index}]`;
    entries.add(fieldsOf(list[index], where), where);
    if ((index & STEP_MASK) === STEP_MASK) yield;
  }
  return entries;
}

function* readLines({ name, text }: ListText): Steps<Entries> {
  const entries = new Entries();
  if (text !== '' && !text.endsWith('\n')) {
    throw new TypeError(`the last line of ${name} does not end in a line break: the file may be half-written`);
  }
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    number += 1;
    const [address, ...settings] = words(text.slice(start, end));
    const where = `${name}:${number}`;
    if (address !== undefined) entries.add({ ...settingsOf(settings, where), address }, where);
    if ((number & STEP_MASK) === STEP_MASK) yield;
    start = end + 1;
  }
  return entries;
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new TypeError(`${name} is not JSON, or half-written: ${reason}`, { cause });
  }
}

function fieldsOf(entry: unknown, where: string): Fields {
  if (typeof entry === 'string') return { address: entry };
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new TypeError(`${where} must be an address or an object with one, got ${shown(entry)}`);
  }
  for (const field of Object.keys(entry)) checkField(field, where);
  return entry;
}

function words(line: string): string[] {
  return line
    .replace(/#.*/, '')
    .split(/\s+/)
    .filter((word) => word !== '');
}

function settingsOf(settings: readonly string[], where: string): Fields {
  const fields: { [Name in Field]?: unknown } = {};
  for (const setting of settings) {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/.exec(setting) ?? [];
    const field = checkField(name, where);
    if (field === 'address') throw new TypeError(`${where}: the address comes first and without a name`);
    if (Object.hasOwn(fields, field)) throw new TypeError(`${where}.${field} is there twice`);
    fields[field] = readValue(value);
  }
  return fields;
}

function readValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function checkField(name: string, where: string): Field {
  const field = FIELDS.find((known) => known === name);
  if (field !== undefined) return field;
  throw new TypeError(`${where}.${name} is not known: expected ${FIELDS.join(', ')}`);
}

function at<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw cause instanceof RangeError
      ? new RangeError(`${where}: ${reason}`, { cause })
      : new TypeError(`${where}: ${reason}`, { cause });
  }
}

/** A value for an error message: short, and on one line. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
