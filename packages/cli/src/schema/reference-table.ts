/**
 * Every key of a file as Markdown tables, made from the schema. docs/guide/gateway-reference.md contains them.
 */
import { gatewayJsonSchema, type JsonSchema } from './json-schema.ts';

/** The tables there are. */
export type ReferenceSection = 'file' | 'http' | 'tcp' | 'udp' | 'upstream';

interface Row {
  readonly name: string;
  readonly value: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** The table of a section: name, value, default, meaning. */
export function gatewayReference(section: ReferenceSection): string {
  const rows = rowsOf(section).map(
    ({ name, value, fallback, meaning }) => `| \`${name}\` | ${cell(value)} | ${cell(fallback)} | ${cell(meaning)} |`,
  );
  return ['| Key | Value | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(section: ReferenceSection): Row[] {
  const file = gatewayJsonSchema();
  const { listeners, upstreams } = file.properties ?? {};
  if (section === 'file')
    return settingsRows(file, '').filter(({ name }) => !/^(?:listeners|upstreams)[.[]/.test(name));
  if (section === 'upstream') return mapsOf(upstreams?.additionalProperties).flatMap((map) => settingsRows(map, ''));
  const protocols = listeners?.items?.oneOf ?? [];
  return protocols
    .filter(({ properties }) => properties?.protocol?.const === section)
    .flatMap((map) => settingsRows(map, ''));
}

/** A row for each setting of a map, followed by those of the maps in it. */
function settingsRows({ properties = {}, required = [] }: JsonSchema, prefix: string): Row[] {
  return Object.entries(properties).flatMap(([key, property]) => {
    const name = `${prefix}${key}`;
    const [meaning, said] = splitDefault(property.description ?? '');
    const fallback = required.includes(key) ? 'required' : said || printDefault(property.default);
    return [{ name, value: written(property), fallback, meaning }, ...innerRows(property, name)];
  });
}

/** Those of the maps that a value can be, or can hold. */
function innerRows(property: JsonSchema, name: string): Row[] {
  const own = mapsOf(property).flatMap((map) => settingsRows(map, `${name}.`));
  const lists = branches(property).flatMap(({ items }) =>
    mapsOf(items).flatMap((map) => settingsRows(map, `${name}[].`)),
  );
  const named = branches(property).flatMap(({ additionalProperties }) =>
    mapsOf(additionalProperties).flatMap((map) => settingsRows(map, `${name}.*.`)),
  );
  return [...own, ...lists, ...named];
}

/** The forms that a value can have. */
function branches(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf)?.flatMap(branches) ?? [schema];
}

function mapsOf(schema: JsonSchema | boolean | undefined): JsonSchema[] {
  return typeof schema === 'object' ? branches(schema).filter(({ properties }) => properties !== undefined) : [];
}

/** What can be written, in a few words. */
function written(schema: JsonSchema): string {
  if (schema.properties !== undefined) return 'map';
  if (schema.title !== undefined) return schema.title;
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(written))].join('; ');
  if (schema.items !== undefined) return `list of ${written(schema.items)}`;
  if (typeof schema.additionalProperties === 'object') return `map of ${written(schema.additionalProperties)}`;
  return schema.const === undefined ? String(schema.type ?? 'any') : String(schema.const);
}

/** `Time to wait.` in two. */
function splitDefault(description: string): [meaning: string, fallback: string] {
  const [, meaning, fallback] = /^(.*?)\s*Default: (.*?)\.?$/.exec(description) ?? [];
  return meaning === undefined || fallback === undefined ? [description, ''] : [meaning, fallback];
}

function printDefault(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' && value !== '' ? `\`${value}\`` : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
