/**
 * Text that goes into a request target or a Location: every character that may not stand there is percent-encoded.
 */

const NOT_TARGET = /[^\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/;

/** The text as it may stand in a URI: controls, spaces, quotes, `#`, `<>\^`, braces and what is beyond ASCII are escaped, as UTF-8. */
export function escapeForTarget(text: string): string {
  if (!NOT_TARGET.test(text)) return text;
  let escaped = '';
  for (const character of text) escaped += NOT_TARGET.test(character) ? percent(character) : character;
  return escaped;
}

function percent(character: string): string {
  let escaped = '';
  for (const byte of Buffer.from(character)) escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return escaped;
}
