import { describe, expect, it } from 'vitest';
import { chooseRows } from './compare.ts';
import { GOALS } from './goals.ts';
import { ROWS } from './rows.ts';
import { DEFAULT_SHAPES, SHAPES } from './shapes.ts';

const names = (only: string[], without: string[]) => chooseRows({ only, without }).map((row) => row.name);

describe('chooseRows', () => {
  it('takes all rows, those named, or all but those named; nginx is always there', () => {
    expect(names([], [])).toEqual(ROWS.map((row) => row.name));
    expect(names(['cirque'], [])).toEqual(['nginx', 'cirque']);
    expect(names([], ['pingora', 'nginx'])).toEqual(ROWS.map((row) => row.name).filter((name) => name !== 'pingora'));
  });
});

describe('GOALS', () => {
  it('name rows and shapes that exist, and the default run measures all of them', () => {
    const rows = ROWS.map((row) => row.name);
    for (const goal of GOALS) {
      expect(rows).toContain(goal.row);
      expect(rows).toContain(goal.against ?? goal.row);
      expect(SHAPES.map((shape) => shape.name)).toContain(goal.shape);
      expect(DEFAULT_SHAPES).toContain(goal.shape);
    }
  });
});
