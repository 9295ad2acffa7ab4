/**
 * The texts of `--help` and `--version`. Only prints; parsing is cli-options.ts.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { CliOption, CliOptionTable } from './cli-options.ts';

/** How the program presents itself. */
export interface ProgramFacts {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
}

/** The text of `--help`: usage, the program's options, the server's options. */
export function helpText(program: ProgramFacts, own: CliOptionTable, server: CliOptionTable): string {
  const lines = [`Usage: ${programName(program)} [options]`];
  if (program.description !== undefined) lines.push('', program.description);
  if (Object.keys(own).length > 0) lines.push('', 'Options:', ...optionLines(own));
  lines.push('', 'Server options:', ...optionLines(server));
  return `${lines.join('\n')}\n`;
}

/** The text of `--version`: the program's version if it has one, then Cirque's and Node's. */
export function versionText(program: ProgramFacts): string {
  const own = program.version === undefined ? '' : `${programName(program)} ${program.version}\n`;
  return `${own}cirque ${coreVersion()} (Node.js ${process.version})\n`;
}

function programName({ name }: ProgramFacts): string {
  return name ?? basename(process.argv[1] ?? 'server');
}

function optionLines(table: CliOptionTable): string[] {
  const rows = Object.entries(table).map(([name, option]) => [spelling(name, option), remark(option)] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function spelling(name: string, { type, short, valueName }: CliOption): string {
  const value = type === 'string' ? ` ${valueName ?? 'VALUE'}` : '';
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value}`;
}

function remark(option: CliOption): string {
  const parts = [option.help ?? ''];
  if (option.multiple === true) parts.push('(may be repeated)');
  if (option.default !== undefined && option.default !== false) parts.push(`(default ${String(option.default)})`);
  return parts.filter((part) => part !== '').join(' ');
}

/** Read when asked: the sources and the built file lie at different depths, the package name finds both. */
export function coreVersion(): string {
  try {
    const path = createRequire(import.meta.url).resolve('@cirque/core/package.json');
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
    return version;
  } catch {
    return '(bundled)'; // a bundler left the manifest behind
  }
}
