import { LoadBalancer, type Pick, RoundRobin } from '@cirque/load-balancing';
import { formatAddress } from '@cirque/transport';
import { afterEach, expect, test } from 'vitest';
import { defineUdp } from '../src/udp-proxy.ts';
import { DEADLINE_MS, Peer, RunningUdp, until } from './udp-site.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('a balancer is told what became of its backends: those that fail are tried no more', {
  timeout: 2 * DEADLINE_MS,
}, async () => {
  const alive = (await Peer.bind()).answering((bytes) => `echo ${bytes}`);
  cleanups.push(() => alive.close());
  const dead = await Peer.bind();
  dead.close();
  const addresses = [dead, alive].map(({ address }) => formatAddress(address));
  const [deadText] = addresses;
  const balancer = LoadBalancer.fromAddresses(addresses, { selection: RoundRobin });
  const outcomes: string[] = [];
  const done = (pick: Pick | undefined, ok: boolean): void => {
    if (pick === undefined) return;
    outcomes.push(`${pick.backend.address === deadText ? 'dead' : 'alive'} ${ok}`);
    pick.done({ ok });
    if (!ok) balancer.setEnabled(pick.backend.address, false); // the crudest of all passive health checks
  };
  const phases = defineUdp<{ pick: Pick | undefined }>({
    newCtx: () => ({ pick: undefined }),
    upstreamPeer: (_, ctx) => {
      ctx.pick = balancer.pick('');
      if (ctx.pick === undefined) throw new Error('no backend');
      return ctx.pick.backend;
    },
    failToSend: (_session, ctx, error) => {
      done(ctx.pick, false);
      ctx.pick = undefined;
      return error.setRetry(true);
    },
    logging: ({ datagramsFromUpstream }, error, ctx) =>
      done(ctx.pick, error === undefined && datagramsFromUpstream > 0),
  });
  const proxy = await RunningUdp.start(phases, { responses: 1 });
  cleanups.push(() => proxy.stopFast());
  for (let turn = 0; turn < 6; turn += 1) {
    const client = await Peer.bind();
    cleanups.push(() => client.close());
    expect(await client.ask(`${turn}`, proxy.address)).toBe(`echo ${turn}`);
  }
  await until('the ends', () => outcomes.length === 7);
  expect(outcomes.filter((outcome) => outcome === 'dead false')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'alive true')).toHaveLength(6);
});
