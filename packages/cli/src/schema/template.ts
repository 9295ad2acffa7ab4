/**
 * Texts with variables that get their values from the request: `${client_ip}`. What they become is decided in http/.
 */
import { nearest } from './basic-values.ts';

/** What texts may say of a request. */
export const VARIABLES: readonly string[] = ['client_ip', 'host', 'path', 'query', 'request_id', 'scheme'];

/** The variables as a text for people. */
export const VARIABLE_LIST: string = VARIABLES.map((name) => `\`\${${name}}\``).join(', ');

/** Why a text is no template, as a hint; undefined when it is fine. `$${` is a plain `${`. */
export function templateProblem(text: string): string | undefined {
  for (const [, dollars = '', name = ''] of text.matchAll(/(\$+)\{([^}]*)\}?/g)) {
    if (dollars.length > 1 || !/^[a-z]/.test(name) || VARIABLES.includes(name)) continue;
    return `\${${name}} is no variable: ${nearest(name, VARIABLES) ?? `there are ${VARIABLES.join(', ')}`}`;
  }
  return undefined;
}

/** Why `$2` asks for too much; undefined when `count` groups are enough. */
export function groupProblem(text: string, what: string, count: number): string | undefined {
  const largest = largestGroup(text);
  const there = count === 0 ? 'no groups' : count === 1 ? 'one group' : `${count} groups`;
  return largest > count ? `asks for $${largest}, but ${what} has ${there}` : undefined;
}

/** The largest group that a text asks for by `$1`; 0: none. `$$` is a plain `$`. */
export function largestGroup(text: string): number {
  let largest = 0;
  for (const [whole, digits] of text.matchAll(/\$\$|\$(\d{1,2})/g))
    if (whole !== '$$') largest = Math.max(largest, Number(digits));
  return largest;
}
