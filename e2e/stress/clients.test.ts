/**
 * Clients that are many, slow, or never finish: the healthy ones beside them are served, the others are cut in time, and
 * nothing of them is left.
 */
import { describe, expect, test } from 'vitest';
import { playRow, ROW_TIMEOUT_MS, whyNoSoak } from './soak-run.ts';

const reason = whyNoSoak();

describe.skipIf(reason !== undefined)(`hard clients (${reason ?? 'on two cores'})`, () => {
  test.each(['idle', 'idle-tls', 'slow-heads', 'slow-bodies', 'slow-readers', 'handshakes', 'caps'])(
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
