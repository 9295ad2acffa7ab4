/**
 * Limits that are reached and backends in trouble: nobody is left waiting, the proxy goes on, and is the same afterwards.
 */
import { describe, expect, test } from 'vitest';
import { playRow, ROW_TIMEOUT_MS, whyNoSoak } from './soak-run.ts';

const reason = whyNoSoak();

describe.skipIf(reason !== undefined)(`limits and backends (${reason ?? 'on two cores'})`, () => {
  test.each(['accept-limit', 'client-limit', 'no-descriptors', 'flapping', 'mute-upstream', 'requests'])(
    '%s: what was promised is kept',
    async (row) => {
      const { figures, broken, failed } = await playRow(row);
      expect({ broken, failed }).toEqual({ broken: [], failed: undefined });
      expect(figures.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['connections left', 'internal failures']),
      );
    },
    ROW_TIMEOUT_MS,
  );
});
