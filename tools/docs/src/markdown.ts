/**
 * Finds the Markdown files of the repository and what is in them: code blocks, links, anchors.
 *
 * Understands as much of Markdown as our own files use: fenced blocks, inline links, ATX headings.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

/** One Markdown file. */
export interface Page {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A fenced code block. */
export interface CodeBlock {
  /** The words after the opening fence, for example `ts` or `console server`. */
  readonly info: string;
  readonly code: string;
  /** Line of the first line of code, from 1. */
  readonly line: number;
  /** The text of a comment `<!-- before: ... -->` right above the block: code that the block needs but does not show. */
  readonly before: string;
}

const SKIPPED = /^(?:node_modules|dist|coverage|target|results|\..+)$/;

/** Every Markdown file of the repository, installed and built things left out. */
export function pages(folder: string = root): Page[] {
  const found: Page[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...pages(path));
    else if (entry.name.endsWith('.md')) found.push(readPage(path));
  }
  return found;
}

/** Reads one file, given by its full path. */
export function readPage(path: string): Page {
  return { path: relative(root, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') };
}

/** The code blocks of a text, in their order. */
export function codeBlocks(text: string): CodeBlock[] {
  const lines = text.split('\n');
  const blocks: CodeBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const info = /^```([^`]*)$/.exec(lines[at] as string)?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the code block in line ${at + 1} is not closed`);
    const code = lines.slice(at + 1, end).join('\n');
    blocks.push({ info: info.trim(), code, line: at + 2, before: commentBefore(lines.slice(0, at)) });
    at = end;
  }
  return blocks;
}

function commentBefore(lines: readonly string[]): string {
  const above = lines.join('\n').trimEnd();
  const comment = above.endsWith('-->') ? above.slice(above.lastIndexOf('<!--'), -'-->'.length) : '';
  return /^<!-- before:([\s\S]*)$/.exec(comment)?.[1]?.trim() ?? '';
}

/** The text without its code blocks and code spans, so that nothing in them is taken for a link. */
export function prose(text: string): string {
  const outside: string[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    if (/^```/.test(line)) inside = !inside;
    else if (!inside) outside.push(line.replace(/`[^`]*`/g, '``'));
  }
  return outside.join('\n');
}

/** Targets of the links that lead to files or headings of the repository. */
export function localLinks(text: string): string[] {
  const targets = Array.from(prose(text).matchAll(/\]\(([^()\s]+)\)/g), (match) => match[1] as string);
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** The anchors that GitHub makes of the headings. */
export function anchors(text: string): Set<string> {
  const found = new Set<string>();
  let inside = false;
  for (const line of text.split('\n')) {
    if (/^```/.test(line)) inside = !inside;
    const heading = inside ? undefined : /^#{1,6}\s+(.*)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    found.add(slug);
  }
  return found;
}
