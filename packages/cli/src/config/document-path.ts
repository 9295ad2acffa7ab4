/**
 * Paths in a document and values of it, as messages show them.
 */
import { isPair, isScalar, isSeq } from 'yaml';

/** Longer texts are cut. */
const MAX_SHOWN = 60;

/** Where something is in a document. */
export type DocumentPath = readonly PropertyKey[];

/** The path to the last of these nodes, each of which is in the one before it. */
export function pathOf(nodes: readonly unknown[]): DocumentPath {
  return nodes.flatMap((node, index): PropertyKey[] => {
    if (isSeq(node)) return [node.items.indexOf(nodes[index + 1])];
    return isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [];
  });
}

/** `upstreams.app.servers[1].weight`; keys of other letters in quotes. */
export function printPath(path: DocumentPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_*-]+$/.test(String(step))) text += `[${cut(JSON.stringify(String(step)))}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

/** A value: scalars as JSON without credentials of URLs, lists and maps by name. */
export function printValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  const text = typeof value === 'string' ? value.replace(/\/\/[^/@]*@/, '//...@') : value;
  return cut(typeof text === 'string' ? JSON.stringify(text) : String(text));
}

/** At most 60 characters. */
export function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}
