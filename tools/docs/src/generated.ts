/**
 * The parts of pages that are made from code: between `<!-- generated: name -->` and `<!-- /generated -->`.
 */
import { gatewayReference } from '@cirque/cli';
import { configurationTable, unsupportedTable } from '@cirque/core';
import { attackTable } from './attack-table.ts';
import { http2Defaults, limitDefaults, peerDefaults, serverDefaults } from './defaults-table.ts';
import { errorTable } from './error-table.ts';
import { layerTable } from './layer-table.ts';
import { phaseChart, phaseTable, streamPhaseTable } from './phase-chart.ts';

const MAKERS: Readonly<Record<string, () => string>> = {
  'attack-table': attackTable,
  'configuration-table': configurationTable,
  'error-table': errorTable,
  'gateway-reference-file': () => gatewayReference('file'),
  'gateway-reference-http': () => gatewayReference('http'),
  'gateway-reference-tcp': () => gatewayReference('tcp'),
  'gateway-reference-udp': () => gatewayReference('udp'),
  'gateway-reference-upstream': () => gatewayReference('upstream'),
  'http2-defaults': http2Defaults,
  'layer-table': layerTable,
  'limit-defaults': limitDefaults,
  'peer-defaults': peerDefaults,
  'phase-chart': phaseChart,
  'phase-table': phaseTable,
  'server-defaults': serverDefaults,
  'stream-phase-table': streamPhaseTable,
  'unsupported-table': unsupportedTable,
};

const PART = /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** Names of the parts in a text. */
export function generatedParts(text: string): string[] {
  return Array.from(text.matchAll(PART), (match) => match[2] as string);
}

/** The text with every such part made anew. Throws for a name that nothing makes. */
export function regenerate(text: string): string {
  return text.replace(PART, (_, begin: string, name: string, end: string) => {
    const make = MAKERS[name];
    if (make === undefined) throw new Error(`nothing makes ${name}: expected one of ${Object.keys(MAKERS).join(', ')}`);
    return `${begin}${make()}\n${end}`;
  });
}
