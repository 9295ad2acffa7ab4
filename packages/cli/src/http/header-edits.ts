/**
 * Changes to the fields of a head: some removed, some replaced, some added, in this order.
 */
import { assertField, type HeaderMap, HOP_BY_HOP_FIELDS } from '@cirque/http';
import type { HeaderEditsConfig } from '../config/gateway-config.ts';
import { HEADER_VARIABLES, type RequestFacts } from './request-facts.ts';
import { type Template, templateOf } from './template.ts';

/** Changes a head. */
export type HeaderEdits = (headers: HeaderMap, facts: RequestFacts) => void;

/** Fields that say where a message ends: whoever changes them changes what the next message is. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/**
 * Undefined where there is nothing to change.
 *
 * @throws TypeError for a field of framing or of a single connection, and for an unknown variable; CirqueError for a name that is no token.
 */
export function headerEditsOf({ add, remove, set }: HeaderEditsConfig): HeaderEdits | undefined {
  for (const name of [...remove, ...Object.keys(set), ...Object.keys(add)]) checkName(name);
  const sets = templates(set);
  const adds = templates(add);
  if (remove.length === 0 && sets.length === 0 && adds.length === 0) return undefined;
  return (headers, facts) => {
    for (const name of remove) headers.delete(name);
    for (const [name, value] of sets) headers.set(name, value(facts));
    for (const [name, value] of adds) headers.append(name, value(facts));
  };
}

function templates(fields: Readonly<Record<string, string>>): [string, Template<RequestFacts>][] {
  return Object.entries(fields).map(([name, value]) => {
    assertField(name, value);
    return [name, templateOf(value, HEADER_VARIABLES, escapeForField)];
  });
}

function checkName(name: string): void {
  assertField(name, '');
  const lower = name.toLowerCase();
  if (!FRAMING.has(lower) && !HOP_BY_HOP_FIELDS.has(lower)) return;
  throw new TypeError(`field ${name} belongs to a single connection: it cannot be set, added or removed`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters that may not pass.
const NOT_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/g;

/** Without line ends and other controls, and without what is beyond latin1: a value stays within its field. */
export function escapeForField(value: string): string {
  return value.replace(NOT_VALUE, '');
}
