/**
 * Draws a table of text cells, for a terminal or as markdown. Pure.
 */

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

function pad(text: string, width: number, align: Column['align']): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}

function widths(table: Table): number[] {
  return table.columns.map((column, index) =>
    Math.max(column.title.length, ...table.rows.map((row) => (row[index] ?? '').length)),
  );
}

/** Columns side by side, two blanks between. */
export function drawText(table: Table): string {
  const size = widths(table);
  const line = (cells: readonly string[]): string =>
    table.columns
      .map((column, index) => pad(cells[index] ?? '', size[index] ?? 0, column.align))
      .join('  ')
      .trimEnd();
  return [line(table.columns.map((column) => column.title)), ...table.rows.map(line)].join('\n');
}

/** GitHub's markdown; bars in cells are escaped. */
export function drawMarkdown(table: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${table.columns.map((_, index) => (cells[index] ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${table.columns.map((column) => (column.align === 'left' ? '---' : '---:')).join('|')}|`;
  return [line(table.columns.map((column) => column.title)), rule, ...table.rows.map(line)].join('\n');
}
