import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Fragments } from './access-log-fragments.ts';

describe('Fragments', () => {
  test('answers what render makes of a text, whatever came before', () => {
    // Few lengths and few letters: texts meet in a slot, come again, and are not kept when render changes them.
    const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '"'), maxLength: 3 }), { maxLength: 60 });
    const render = (text: string): string => `<${text.replaceAll('"', '\\"')}>`;
    fc.assert(
      fc.property(texts, (all) => {
        const fragments = new Fragments(render);
        expect(all.map((text) => fragments.of(text))).toEqual(all.map(render));
      }),
    );
  });

  test('renders a text once while no other one of its length comes', () => {
    const render = vi.fn((text: string) => `"${text}"`);
    const fragments = new Fragments(render);
    expect(['', 'ab', 'ab', 'abc', 'ab', ''].map((text) => fragments.of(text))).toEqual([
      '""',
      '"ab"',
      '"ab"',
      '"abc"',
      '"ab"',
      '""',
    ]);
    expect(render).toHaveBeenCalledTimes(3);
    fragments.of('cd');
    fragments.of('ab');
    expect(render).toHaveBeenCalledTimes(5);
  });

  test('keeps neither long texts nor what render does not show', () => {
    const render = vi.fn((text: string) => text.replace('secret', '***'));
    const fragments = new Fragments(render);
    for (const text of ['x'.repeat(257), '/?token=secret']) {
      render.mockClear();
      fragments.of(text);
      fragments.of(text);
      expect(render).toHaveBeenCalledTimes(2);
    }
  });
});
