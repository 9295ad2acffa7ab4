/**
 * Refuses options that do not exist, so that a misspelt one is not just ignored.
 */

/** @throws TypeError naming the first name of `options` that is not among `names`, and those that are. */
export function checkOptionNames(where: string, options: object, names: readonly string[]): void {
  const odd = Object.keys(options).find((name) => !names.includes(name));
  if (odd !== undefined)
    throw new TypeError(`${where} has no option ${JSON.stringify(odd)}; it has ${names.join(', ')}`);
}
