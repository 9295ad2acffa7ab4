/** As much of JSON Schema as ours uses: says where a value does not fit. */
import type { JsonSchema } from '../src/schema/json-schema.ts';

/** Keywords that say nothing about a value. */
const REMARKS = ['$schema', '$defs', 'title', 'description', 'default'];

/** Paths at which the value does not fit; empty: it fits. Throws for keywords that it does not know. */
export function misfits(value: unknown, schema: JsonSchema, root: JsonSchema = schema, path = ''): string[] {
  const found: string[] = [];
  const demand = (fits: boolean, what: string): void => {
    if (!fits) found.push(`${path}: ${what}`);
  };
  const fitting = (all: JsonSchema[]): number =>
    all.filter((one) => misfits(value, one, root, path).length === 0).length;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const map = isMap ? (value as Record<string, unknown>) : {};
  for (const [keyword, rule] of Object.entries(schema)) {
    if (REMARKS.includes(keyword)) continue;
    if (keyword === '$ref') found.push(...misfits(value, definition(root, rule as string), root, path));
    else if (keyword === 'type')
      demand(
        [rule].flat().some((type) => isOfType(value, type as string)),
        `is no ${rule}`,
      );
    else if (keyword === 'const') demand(value === rule, `is not ${rule}`);
    else if (keyword === 'enum') demand((rule as unknown[]).includes(value), `is none of ${rule}`);
    else if (keyword === 'anyOf') demand(fitting(rule as JsonSchema[]) > 0, 'fits nothing');
    else if (keyword === 'oneOf') demand(fitting(rule as JsonSchema[]) === 1, `fits ${fitting(rule as JsonSchema[])}`);
    else if (keyword === 'pattern')
      demand(typeof value !== 'string' || new RegExp(rule as string, 'u').test(value), `is not ${rule}`);
    else if (keyword === 'minimum') demand(typeof value !== 'number' || value >= (rule as number), `is below ${rule}`);
    else if (keyword === 'maximum') demand(typeof value !== 'number' || value <= (rule as number), `is above ${rule}`);
    else if (keyword === 'minLength') demand(typeof value !== 'string' || value.length >= (rule as number), 'is short');
    else if (keyword === 'maxLength') demand(typeof value !== 'string' || value.length <= (rule as number), 'is long');
    else if (keyword === 'minItems') demand(!Array.isArray(value) || value.length >= (rule as number), 'has few items');
    else if (keyword === 'required')
      demand(!isMap || (rule as string[]).every((key) => Object.hasOwn(map, key)), 'lacks a key');
    else if (keyword === 'items' && Array.isArray(value))
      found.push(...value.flatMap((one, index) => misfits(one, rule as JsonSchema, root, `${path}[${index}]`)));
    else if (keyword === 'propertyNames')
      found.push(...Object.keys(map).flatMap((key) => misfits(key, rule as JsonSchema, root, `${path}.${key} (name)`)));
    else if (!['properties', 'additionalProperties', 'patternProperties', 'items'].includes(keyword))
      throw new Error(`unknown keyword ${keyword}`);
  }
  for (const [key, one] of Object.entries(map)) {
    const property = propertyOf(schema, key);
    if (property === false) found.push(`${path}.${key}: is unknown`);
    else if (property !== undefined) found.push(...misfits(one, property, root, `${path}.${key}`));
  }
  return found;
}

function propertyOf(schema: JsonSchema, key: string): JsonSchema | false | undefined {
  const own = schema.properties?.[key];
  if (own !== undefined) return own;
  const pattern = Object.keys(schema.patternProperties ?? {}).find((one) => new RegExp(one, 'u').test(key));
  if (pattern !== undefined) return schema.patternProperties?.[pattern];
  return schema.additionalProperties === true ? undefined : schema.additionalProperties;
}

function definition(root: JsonSchema, reference: string): JsonSchema {
  const name = reference.replace('#/$defs/', '');
  const found = (root.$defs as Record<string, JsonSchema> | undefined)?.[name];
  if (found === undefined) throw new Error(`there is no ${reference}`);
  return found;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
