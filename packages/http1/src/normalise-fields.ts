/**
 * Makes regular what RFC 9112 section 5 lets a recipient repair: folded lines and white space before a colon.
 *
 * Works on text that field-scan.ts has accepted and marked as irregular. One pass: the text comes from the network, so
 * its cost must not depend on what is in it.
 */
import { trimBlanks } from '@cirque/http';

const SP = 0x20;
const HTAB = 0x09;

/** The same fields, each on one line: a fold becomes one space, space before a colon goes. */
export function normaliseFields(text: string): string {
  const lines: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    if (isBlank(text.charCodeAt(at))) {
      // Each piece is trimmed once, so thousands of folds in one field cost no more than their bytes.
      lines.push(`${trimBlanks(lines.pop() as string)} `, trimBlanks(text.slice(at, end)));
    } else {
      if (lines.length > 0) lines.push('\r\n');
      lines.push(withoutBlankBeforeColon(text.slice(at, end)));
    }
    at = end + 2;
  }
  return lines.length === 0 ? '' : `${lines.join('')}\r\n`;
}

function withoutBlankBeforeColon(line: string): string {
  const colon = line.indexOf(':');
  let nameEnd = colon;
  while (isBlank(line.charCodeAt(nameEnd - 1))) nameEnd--;
  return nameEnd === colon ? line : line.slice(0, nameEnd) + line.slice(colon);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
