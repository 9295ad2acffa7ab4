/**
 * The algorithms whose costs are measured, and the lists they are measured with.
 */
import {
  Backend,
  BoundedConsistent,
  Consistent,
  FnvHash,
  FnvHash32,
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
} from '../src/index.ts';

/** One row of the table. */
export interface MeasuredAlgorithm {
  readonly name: string;
  readonly factory: SelectionFactory;
  readonly weightOf: (i: number) => number;
  /** Whether it wants to know what is in use. */
  readonly counts: boolean;
}

const equal = (): number => 1;
const few = (i: number): number => 1 + (i % 5);
const arbitrary = (i: number): number => 1 + ((i * 7_919) % 100_003);

function row(factory: SelectionFactory, weightOf: (i: number) => number, counts = false): MeasuredAlgorithm {
  const weights = weightOf === equal ? 'equal' : weightOf === few ? '1 to 5' : 'arbitrary';
  return { name: `${factory.name}, ${weights}`, factory, weightOf, counts };
}

/** Rings have equal weights: with others they have as many points more. */
export const ALGORITHMS: readonly MeasuredAlgorithm[] = [
  row(RoundRobin, equal),
  row(RoundRobin, few),
  row(RoundRobin, arbitrary),
  row(Random, few),
  row(LeastConnections, few, true),
  row(PowerOfTwoChoices, few, true),
  row(PeakEwma, few, true),
  row(FnvHash, few),
  row(FnvHash32, few),
  row(SourceIpHash, few),
  row(Rendezvous, few),
  row(Maglev, few),
  row(Consistent, equal),
  row(BoundedConsistent, equal, true),
  { ...row(Subset.of({ size: 20, seed: 'gateway 1' }), few), name: 'Subset of 20, RoundRobin, 1 to 5' },
];

/** Distinct addresses in an order that is not theirs. */
export function measuredBackends(count: number, weightOf: (i: number) => number): Backend[] {
  return Array.from({ length: count }, (_, i) => {
    const host = `10.${(i * 7) & 255}.${(i >> 8) >> 8}.${(i >> 8) & 255}`;
    return Backend.of({ host, port: 80 + (i & 255) }, { weight: weightOf(i) });
  });
}
