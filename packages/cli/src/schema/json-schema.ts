/**
 * The schema of a file as JSON Schema (draft 2020-12), for editors.
 *
 * Says what can be written in a file, short forms included; what is checked beyond that is not in it.
 */
import { CONFIGURATION_KEYS } from '@cirque/core';
import { z } from 'zod';
import { gatewaySchema } from './gateway-schema.ts';
import { type JsonForm, leafForms } from './leaf.ts';
import { settingsForms } from './settings.ts';

/** A node of JSON Schema. */
export interface JsonSchema {
  title?: string;
  description?: string;
  default?: unknown;
  type?: string | readonly string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  patternProperties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
  enum?: readonly unknown[];
  [keyword: string]: unknown;
}

/** A scalar that the environment fills in; it is possible wherever something narrower than a text is asked for. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{[A-Z_][A-Z0-9_]*(:-[^}]*)?\\}' };

/** The schema for editors. */
export function gatewayJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(gatewaySchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => {
      const form = leafForms.get(zodSchema);
      if (form !== undefined) Object.assign(jsonSchema, leafSchema(form.json), { title: form.title });
      const map = settingsForms.get(zodSchema);
      if (map === undefined) return;
      jsonSchema.title = map.what.replace(/^an? /, '');
      jsonSchema.additionalProperties = false;
      if (map.ignore !== undefined) jsonSchema.patternProperties = { [map.ignore.source]: {} };
    },
  }) as JsonSchema;
  for (const { key, default: fallback } of CONFIGURATION_KEYS) {
    const property = schema.properties?.[key];
    if (property !== undefined) property.default = fallback;
  }
  return { ...schema, title: 'Cirque gateway', $defs: { variable: VARIABLE } };
}

/** Texts of any form may hold variables as they are; everything else gets a way out. */
function leafSchema(json: JsonForm): JsonSchema {
  if (json.type === 'string' && json.pattern === undefined && json.enum === undefined) return json;
  const forms = json.anyOf === undefined ? [json] : (json.anyOf as JsonSchema[]);
  return { anyOf: [...forms, { $ref: '#/$defs/variable' }] };
}
