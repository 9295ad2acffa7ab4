import { readFileSync } from 'node:fs';
import { silentLogger } from '@cirque/core';
import { describe, expect, it } from 'vitest';
import { gatewayConfigFromText } from '../src/config/load.ts';
import { HttpRoutes } from '../src/http/http-routes.ts';
import { UpstreamGroup } from '../src/upstreams/upstream-group.ts';

const guide = readFileSync(new URL('../../../docs/guide/gateway.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/^## ([^\n]*)$|^```yaml\n(.*?)^```$/gms)].reduce<{ heading: string; text: string }[]>(
  (found, [, heading, text]) => {
    const last = found.at(-1)?.heading ?? '';
    if (text === undefined) found.push({ heading: heading as string, text: '' });
    else found.push({ heading: last, text });
    return found;
  },
  [],
);
const recipes = blocks.filter(({ text }) => text !== '');

describe('guide to the gateway', () => {
  it('the guide has recipes', () => {
    expect(recipes.length).toBeGreaterThanOrEqual(11);
  });

  it.each(recipes)('the recipe of "$heading" is a file that works', ({ text }) => {
    const warnings: unknown[] = [];
    const { listeners, upstreams } = gatewayConfigFromText(text, 'cirque.yaml', {
      env: {},
      warn: (warning) => warnings.push(warning.message),
    });
    expect(warnings).toEqual([]);
    const groups = new Map(
      Object.values(upstreams).map((config) => [config.name, new UpstreamGroup(config, { logger: silentLogger })]),
    );
    for (const listener of listeners) {
      if (listener.protocol === 'http') new HttpRoutes(listener, (name) => groups.get(name) as UpstreamGroup);
    }
    for (const group of groups.values()) group.dispose();
  });
});
