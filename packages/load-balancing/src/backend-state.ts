/**
 * What a balancer remembers about one address from one list to the next: health, what operator and discovery have said, what
 * is under way.
 *
 * Keyed by address alone, so that a new weight or new data leaves all of it as it is. Snapshots take bits from here when they
 * are made; nobody else may change what matters to them without publishing a new one (backend-set.ts).
 */
import { Health } from './health/health.ts';
import type { OperatorState } from './pick-options.ts';

/** The changing side of one backend; begins healthy and active. */
export class BackendState {
  readonly address: string;
  health: Health = new Health();
  operator: OperatorState = 'active';
  /** The discovery's switch. */
  isDiscovered = true;
  /** By passive health, for a while. */
  isEjected = false;
  /** When its slow start began; never, for those that had none. */
  youngSinceMs: number = Number.NEGATIVE_INFINITY;
  /** Uses under way: picks that have not been released. */
  inFlight = 0;
  /** Uses that have ended as a failure. */
  failures = 0;

  constructor(address: string) {
    this.address = address;
  }

  /** Both switches are on. */
  get isEnabled(): boolean {
    return this.isDiscovered && this.operator === 'active';
  }

  /** Nothing is wrong with it, as far as is known. */
  get isWell(): boolean {
    return this.health.healthy && !this.isEjected;
  }

  /** Clients that are stuck to it may come. */
  get takesOldClients(): boolean {
    return this.isDiscovered && this.operator !== 'maintenance';
  }

  /** As it would begin, but for what is under way: it was away, and comes back. */
  beginAnew(): void {
    this.health = new Health();
    this.operator = 'active';
    this.isDiscovered = true;
    this.isEjected = false;
    this.youngSinceMs = Number.NEGATIVE_INFINITY;
    this.failures = 0;
  }
}
