/**
 * The layers as a table, from the data that the check of imports goes by.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown.ts';

interface Layer {
  readonly allow: readonly string[];
  readonly why: string;
}

/** Packages that stand on the fewest others last, each with what it may use and why. */
export function layerTable(): string {
  const text = readFileSync(join(root, 'tools/layers.json'), 'utf8');
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, Layer>> };
  const height = (name: string): number => 1 + Math.max(0, ...(packages[name]?.allow ?? []).map(height));
  const names = Object.keys(packages).toSorted((a, b) => height(b) - height(a));
  const rows = names.map((name) => {
    const { allow, why } = packages[name] as Layer;
    return `| [${name}](packages/${name}) | ${allow.length === 0 ? 'nothing' : allow.join(', ')} | ${why} |`;
  });
  return ['| Package | May use | Why |', '|---|---|---|', ...rows].join('\n');
}
