import { describe, expect, test } from 'vitest';
import { BodyWriter } from './body-writer.ts';
import { CHUNKED, UNTIL_CLOSE } from './framing.ts';

function begun(framing: number): BodyWriter {
  const writer = new BodyWriter('Upstream');
  writer.begin(framing);
  return writer;
}

describe('BodyWriter', () => {
  test('BodyWriter counts a body down to its announced length', () => {
    const writer = begun(5);
    expect([writer.chunked, writer.untilClose, writer.full]).toEqual([false, false, false]);
    writer.count(3);
    writer.count(0);
    expect(writer.full).toBe(false);
    writer.count(2);
    expect(writer.full).toBe(true);
    writer.finish();
  });

  test('BodyWriter refuses a body that is longer than announced, and says whose fault it is', () => {
    const writer = begun(5);
    writer.count(5);
    expect(() => writer.count(1)).toThrowError(
      expect.objectContaining({
        type: 'InternalError',
        source: 'Upstream',
        context: 'body is longer than its Content-Length',
      }),
    );
    expect(() => begun(0).count(1)).toThrowError('longer');
  });

  test('BodyWriter.finish misses what was announced and not written', () => {
    const writer = begun(5);
    writer.count(2);
    expect(() => writer.finish()).toThrowError(
      expect.objectContaining({ type: 'PrematureBodyEnd', context: 'body is 3 bytes shorter than its Content-Length' }),
    );
    begun(0).finish();
  });

  test.each([
    ['chunked', CHUNKED, true, false],
    ['until close', UNTIL_CLOSE, false, true],
  ])('BodyWriter leaves a body that is %s alone', (_, framing, chunked, untilClose) => {
    const writer = begun(framing);
    writer.count(1_000_000);
    writer.finish();
    expect([writer.chunked, writer.untilClose, writer.full]).toEqual([chunked, untilClose, false]);
  });

  test('BodyWriter.begin forgets the last body', () => {
    const writer = begun(5);
    writer.count(1);
    writer.begin(CHUNKED);
    writer.finish();
    writer.begin(1);
    expect(() => writer.count(2)).toThrowError('longer');
    writer.begin(2);
    writer.count(2);
    expect(writer.full).toBe(true);
  });
});
