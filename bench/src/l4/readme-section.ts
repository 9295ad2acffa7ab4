/**
 * Puts the results of a run into README.md, between two comments. Pure.
 */

const BEGIN = '<!-- l4-results -->';
const END = '<!-- /l4-results -->';

/** The text with these results in the place of those of the last run. @throws RangeError without the two comments. */
export function withResults(readme: string, results: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new RangeError(`no place for results: expected ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${results.trim()}\n\n${readme.slice(end)}`;
}
