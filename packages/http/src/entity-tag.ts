/**
 * Entity tags and their two comparisons (RFC 9110 section 8.8.3).
 *
 * A weak tag says that two representations mean the same, a strong one that they are the same bytes.
 */
import { trimBlanks } from './validate.ts';

const ENTITY_TAG = /^(W\/)?("[\x21\x23-\x7e\x80-\xff]*")$/;

/** One entity tag. */
export interface EntityTag {
  readonly weak: boolean;
  /** The tag with its quotes, without `W/`. */
  readonly opaque: string;
}

/** The tag in a field value; undefined when it is malformed. */
export function parseEntityTag(value: string): EntityTag | undefined {
  const parts = ENTITY_TAG.exec(value);
  return parts === null ? undefined : { weak: parts[1] !== undefined, opaque: parts[2] as string };
}

/** True when both are strong and the same: the bytes are equal. */
export function isStrongMatch(a: string, b: string): boolean {
  const tag = parseEntityTag(a);
  return tag !== undefined && !tag.weak && a === b;
}

/**
 * True when a list of tags (If-None-Match) has this one by weak comparison, or is `*`; that asks for any representation.
 * Tags without quotes, which some clients and origins send, are compared as they are.
 */
export function matchesTagList(list: string, etag: string | undefined): boolean {
  if (trimBlanks(list) === '*') return true;
  if (etag === undefined) return false;
  const wanted = withoutWeak(etag);
  return listedTags(list).some((tag) => withoutWeak(tag) === wanted);
}

/** The tags of a list as written. A comma inside quotes belongs to the tag. */
export function listedTags(list: string): string[] {
  const tags: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= list.length; at++) {
    if (list[at] === '"') quoted = !quoted;
    if (at < list.length && (quoted || list[at] !== ',')) continue;
    const tag = trimBlanks(list.slice(start, at));
    if (tag !== '') tags.push(tag);
    start = at + 1;
  }
  return tags;
}

function withoutWeak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}
