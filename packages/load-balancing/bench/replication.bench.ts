/**
 * What mirroring 100,000 backends costs: telling, passing and taking over.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const { Backend, LoadBalancer } = createRequire(import.meta.url)('../src/index.ts') as typeof import('../src/index.ts');

const short = { time: 200, iterations: 10, warmupTime: 50, warmupIterations: 2 };
const backends = Array.from({ length: 100_000 }, (_, i) =>
  Backend.of({ host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 443 }),
);
const address = '10.0.77.7:443';

test('100,000 backends', { timeout: 120_000 }, async ({ bench }) => {
  const original = LoadBalancer.fromAddresses(backends);
  const copy = LoadBalancer.fromAddresses(backends);
  const snapshot = original.snapshot();
  const without = LoadBalancer.fromAddresses(backends.slice(1)).snapshot();
  let isOn = false;
  await bench.compare(
    bench('snapshot', () => original.snapshot()),
    bench('structured clone of a snapshot', () => structuredClone(snapshot)),
    bench('apply in slices, the same list', async () => {
      copy.apply(snapshot);
      await copy.applied();
    }),
    bench('apply in slices, one backend comes or goes', async () => {
      isOn = !isOn;
      copy.apply(isOn ? snapshot : without);
      await copy.applied();
    }),
    bench('apply at once, to an empty balancer', () => LoadBalancer.fromAddresses([]).apply(snapshot)),
    bench('flip, clone and apply', () => {
      isOn = !isOn;
      copy.apply(structuredClone({ kind: 'health', address, healthy: isOn }));
    }),
    bench('state, clone and apply', () => {
      isOn = !isOn;
      copy.apply(structuredClone({ kind: 'state', address, state: isOn ? 'active' : 'draining' }));
    }),
    bench('stats', () => copy.stats()),
    short,
  );
});
