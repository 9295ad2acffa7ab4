/**
 * The algorithm of a group, by the method that the file names.
 */
import {
  BoundedConsistent,
  Consistent,
  FnvHash,
  LeastConnections,
  Maglev,
  PeakEwma,
  PowerOfTwoChoices,
  Random,
  Rendezvous,
  RoundRobin,
  type SelectionFactory,
  SourceIpHash,
  Subset,
} from '@cirque/load-balancing';
import type { BalanceConfig, BalanceMethod } from '../config/gateway-config.ts';

const SELECTIONS: Readonly<Record<BalanceMethod, SelectionFactory>> = {
  round_robin: RoundRobin,
  random: Random,
  least_connections: LeastConnections,
  power_of_two: PowerOfTwoChoices,
  peak_ewma: PeakEwma,
  source_ip: SourceIpHash,
  fnv: FnvHash,
  consistent: Consistent,
  bounded_consistent: BoundedConsistent,
  rendezvous: Rendezvous,
  maglev: Maglev,
};

/** Methods that hash a key; the others do not look at it. */
const HASHING: ReadonlySet<BalanceMethod> = new Set([
  'source_ip',
  'fnv',
  'consistent',
  'bounded_consistent',
  'rendezvous',
  'maglev',
]);

/** True when the choice depends on a key. */
export function hashes(method: BalanceMethod): boolean {
  return HASHING.has(method);
}

/** @throws RangeError for an overload or a size that cannot be. */
export function selectionOf(balance: BalanceConfig): SelectionFactory {
  const { subset } = balance;
  const selection = methodOf(balance);
  return subset === 0 ? selection : Subset.of({ size: subset, inner: selection });
}

function methodOf({ ipv4Prefix, ipv6Prefix, method, overload }: BalanceConfig): SelectionFactory {
  if (method === 'bounded_consistent') return BoundedConsistent.with({ overload });
  if (method !== 'source_ip') return SELECTIONS[method];
  return SourceIpHash.with({ ipv4PrefixLength: ipv4Prefix, ipv6PrefixLength: ipv6Prefix });
}
