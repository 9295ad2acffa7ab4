/**
 * Texts of the file with variables in them, such as `${client_ip}`, made ready once.
 *
 * Values come from clients: the two users of this file see to it that nothing in them can end a line or change a URI.
 */

/** A text made ready: fixed where it has no variables. `V` is what values are taken from. */
export type Template<V> = (values: V) => string;

/** Gives the value of a variable. */
export type Variables<V> = Readonly<Record<string, (values: V) => string>>;

/** A variable, or `$${`, which is a plain `${`. */
const VARIABLE = /\$\$\{|\$\{([a-z][a-z_0-9]*)\}/g;

/**
 * @param escapeValue is put around every value.
 * @param literal is put around every text between.
 * @throws TypeError for an unknown variable.
 */
export function templateOf<V>(
  text: string,
  variables: Variables<V>,
  escapeValue: (value: string) => string,
  literal: (text: string, values: V) => string = (fixed) => fixed,
): Template<V> {
  const parts: Template<V>[] = [];
  let fixed = '';
  let from = 0;
  const endFixed = (): void => {
    const before = fixed;
    fixed = '';
    if (before !== '') parts.push((values) => literal(before, values));
  };
  for (const found of text.matchAll(VARIABLE)) {
    const [whole, name] = found;
    fixed += text.slice(from, found.index);
    from = found.index + whole.length;
    if (name === undefined) {
      fixed += '${';
      continue;
    }
    const value = variableOf(variables, name);
    endFixed();
    parts.push((values) => escapeValue(value(values)));
  }
  fixed += text.slice(from);
  endFixed();
  const [only, ...more] = parts;
  if (only === undefined) return () => '';
  return more.length === 0 ? only : (values) => parts.reduce((joined, part) => joined + part(values), '');
}

function variableOf<V>(variables: Variables<V>, name: string): Template<V> {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(variables).map((one) => `\${${one}}`);
  throw new TypeError(`variable \${${name}} is unknown here: expected one of ${known.join(', ')}`);
}
