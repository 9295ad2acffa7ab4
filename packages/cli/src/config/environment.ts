/**
 * Puts variables of the environment into the scalars of a document: `${NAME}`, `${NAME:-default}`; `$${NAME}` is a plain `${NAME}`.
 *
 * Works on the parsed document, so that no value can change its structure. Names are in capitals; `${client_ip}` and the
 * like belong to the run time and stay. Keys stay as they are.
 */
import { type Document, isScalar, type Scalar, visit } from 'yaml';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Finds variables; what is between the name and the brace is looked at afterwards. */
const VARIABLE = /(\$?)\$\{([A-Z_][A-Z0-9_]*)(?!\w)([^}]*)(\}?)/g;

/** What has been done to a document. */
export interface Substitution {
  /** Scalars with variables, each with its text as written, which messages show in the place of the value. */
  readonly substituted: ReadonlyMap<unknown, string>;
  /** Scalars with variables that have no value, or are misspelt. */
  readonly failed: ReadonlySet<unknown>;
}

/** Substitutes in place. `problem` is told where that is not possible. */
export function substituteEnvironment(
  document: Document,
  env: Environment,
  problem: (node: Scalar, ancestors: readonly unknown[], message: string) => void,
): Substitution {
  const substituted = new Map<unknown, string>();
  const failed = new Set<unknown>();
  visit(document, {
    Scalar(key, node, ancestors) {
      const { value } = node;
      if (key === 'key' || typeof value !== 'string' || !value.includes('${')) return;
      const text = replaceVariables(value, env, (message) => {
        failed.add(node);
        problem(node, ancestors, message);
      });
      if (text === value) return;
      substituted.set(node, value);
      node.value = retyped(document, node, text);
    },
  });
  return { substituted, failed };
}

function replaceVariables(text: string, env: Environment, problem: (message: string) => void): string {
  return text.replace(VARIABLE, (whole, escaping: string, name: string, rest: string, brace: string) => {
    if (escaping !== '') return whole.slice(1);
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (brace === '') problem(`has \${${name} without its closing brace`);
    else if (rest !== '' && !rest.startsWith(':-'))
      problem(`has a variable of another form: write \${${name}} or \${${name}:-default}`);
    else if (value !== undefined && (value !== '' || rest === '')) return value;
    else if (rest !== '') return rest.slice(2);
    else problem(`needs the environment variable ${name}, which is not set: set it, or write \${${name}:-default}`);
    return whole;
  });
}

/** What YAML makes of the text where the scalar was written without quotes: a number, a boolean, a text. */
function retyped(document: Document, node: Scalar, text: string): unknown {
  if (node.type !== 'PLAIN' || text.trim() !== text) return text;
  for (const tag of document.schema?.tags ?? []) {
    if ('collection' in tag || tag.default !== true || tag.test?.test(text) !== true) continue;
    const value: unknown = tag.resolve(text, () => {}, document.options as never);
    const plain = isScalar(value) ? value.value : value;
    return plain === null ? text : plain;
  }
  return text;
}
