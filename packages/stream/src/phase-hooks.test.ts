import { expect, test } from 'vitest';
import { atOnce, bindPhases, isThenable } from './phase-hooks.ts';

class Phases {
  word = 'mine';
  first?: () => string;
  second(): string {
    return this.word;
  }
}

test('bindPhases binds what is there and leaves out what is not', () => {
  const hooks = bindPhases(new Phases(), ['first', 'second'], ['second']);
  expect(hooks.first).toBeUndefined();
  const { second } = hooks;
  expect(second()).toBe('mine');
});

test('bindPhases refuses what is missing, and what is no function', () => {
  expect(() => bindPhases(new Phases(), ['first'], ['first'])).toThrow(
    new TypeError('the proxy has no first(): it is required'),
  );
  const wrong = { first: 1 } as unknown as Phases;
  expect(() => bindPhases(wrong, ['first'], [])).toThrow(
    new TypeError('phase first of the proxy is number: expected a function'),
  );
  expect(() => bindPhases(undefined as unknown as Phases, ['first'], ['first'])).toThrow(TypeError);
});

test('atOnce refuses promises, and does not leave their rejection unhandled', async () => {
  expect(atOnce('peek', 'more')).toBe('more');
  expect(() => atOnce('peek', Promise.reject(new Error('late')))).toThrow(
    'peek answered a promise: it must answer at once',
  );
  await new Promise((resolve) => setImmediate(resolve));
});

test('isThenable is true for promises of every kind only', () => {
  const foreign = Object.assign(Object.create(null), { ['the' + 'n']: () => {} });
  expect([Promise.resolve(), foreign, undefined, 1, {}, () => {}].map(isThenable)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
