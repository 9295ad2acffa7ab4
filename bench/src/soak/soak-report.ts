/**
 * The tables of a soak: figures from top to bottom, contestants side by side. Pure.
 */
import { type Column, drawMarkdown, drawText, type Table } from '../table.ts';
import { isDisturbed } from './disturbance.ts';
import { type Figure, printBound, printValue } from './figure.ts';
import type { Performance, SceneResult, SoakResult } from './soak-result.ts';

/** Names of all figures in the order of their first appearance, contestant after contestant. */
function figureNames({ performances }: SceneResult): string[] {
  return [...new Set(performances.flatMap(({ figures }) => figures.map(({ name }) => name)))];
}

function findFigure(figures: readonly Figure[], name: string): Figure | undefined {
  return figures.find((one) => one.name === name);
}

export function sceneTable(scene: SceneResult): Table {
  const right = (title: string): Column => ({ title, align: 'right' });
  const present = scene.performances.filter(({ figures }) => figures.length > 0);
  const promises = present.find(({ contestant }) => contestant === 'cirque')?.figures ?? [];
  const rows = figureNames(scene).map((name) => {
    const cells = present.map(({ figures }) => {
      const found = findFigure(figures, name);
      return found === undefined ? '-' : printValue(found);
    });
    const bound = findFigure(promises, name)?.bound;
    return [name, ...cells, bound === undefined ? '' : printBound(bound)];
  });
  const columns: Column[] = [
    { title: '', align: 'left' },
    ...present.map(({ title }) => right(title)),
    { title: 'promise', align: 'left' },
  ];
  return { columns, rows };
}

function disturbed({ title, foreignShare }: Performance): string {
  return `${title}: times decide nothing: other work took ${(foreignShare * 100).toFixed(0)} % of the two cores`;
}

/** One line per contestant without figures, or with a disturbed machine, and per promise that was not kept. */
export function sceneRemarks({ performances }: SceneResult): string[] {
  return performances.flatMap((one) => [
    ...(one.skipped === undefined ? [] : [`${one.title}: skipped: ${one.skipped}`]),
    ...(isDisturbed(one.foreignShare) ? [disturbed(one)] : []),
    ...(one.failed === undefined ? [] : [`${one.title}: failed: ${one.failed}`]),
    ...one.broken.map((sentence) => `${one.title}: NOT KEPT: ${sentence}`),
  ]);
}

function circumstances({ startedAt, machine, versions, options }: SoakResult): string {
  const load = machine.loadAverage.map((value) => value.toFixed(1)).join(' ');
  return [
    `${startedAt.slice(0, 16).replace('T', ' ')} UTC; ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, load average ${load}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `${options.threads} thread(s), ${options.seconds} s, ${options.requests} requests${options.short ? ', short' : ''}`,
  ].join('\n');
}

export function soakText(result: SoakResult): string {
  const parts = result.scenes.map((scene) =>
    [`${scene.scene}: ${scene.title}`, drawText(sceneTable(scene)), ...sceneRemarks(scene)].join('\n'),
  );
  return `${[circumstances(result), ...parts].join('\n\n')}\n`;
}

export function soakMarkdown(result: SoakResult): string {
  const parts = result.scenes.map((scene) =>
    [`#### ${scene.scene}: ${scene.title}`, drawMarkdown(sceneTable(scene)), sceneRemarks(scene).join('\n')]
      .filter((part) => part !== '')
      .join('\n\n'),
  );
  return `${[circumstances(result), ...parts].join('\n\n')}\n`;
}
