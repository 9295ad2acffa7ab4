/**
 * Clients stay with their backend by their address: the key is an IP address, or the network it is in.
 *
 * The address is brought into one form (ip-key.ts), and another algorithm that hashes does the rest.
 */
import type { Backend } from '../backend.ts';
import { checkInner, innerSelection } from './inner-selection.ts';
import { IpKey } from './ip-key.ts';
import { Rendezvous } from './rendezvous.ts';
import type { PickOutcome, Selection, SelectionContext, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory } from './steps.ts';

/** Which clients count as one, and who hashes. */
export interface SourceIpHashOptions {
  /** Leading bits of an IPv4 address that count, from 0 to 32. Default 32; nginx's ip_hash has 24. */
  readonly ipv4PrefixLength?: number | undefined;
  /** Leading bits of an IPv6 address that count, from 0 to 128. Default 64: within its network a client changes its address every day. */
  readonly ipv6PrefixLength?: number | undefined;
  /** The algorithm that hashes. Default `Rendezvous`. */
  readonly inner?: SelectionFactory | undefined;
}

class SourceIpSelection implements Selection {
  readonly #key: IpKey;
  readonly #inner: Selection;

  private constructor(key: IpKey, inner: Selection) {
    this.#key = key;
    this.#inner = inner;
  }

  static *steps(
    key: IpKey,
    inner: SelectionFactory,
    backends: readonly Backend[],
    previous: Selection | undefined,
    context: SelectionContext | undefined,
  ): Steps<Selection> {
    const before = previous instanceof SourceIpSelection ? previous.#inner : undefined;
    const selection = yield* innerSelection(inner, backends, before, context);
    return new SourceIpSelection(key, selection);
  }

  first(key: SelectionKey): number {
    return this.#inner.first(this.#key.networkOf(key));
  }

  next(): number {
    return this.#inner.next();
  }

  onLoad(position: number, inFlight: number): void {
    this.#inner.onLoad?.(position, inFlight);
  }

  onDone(position: number, outcome: PickOutcome | undefined): void {
    this.#inner.onDone?.(position, outcome);
  }
}

function factoryOf(options: SourceIpHashOptions): SelectionFactory {
  const { ipv4PrefixLength = 32, ipv6PrefixLength = 64, inner = Rendezvous } = options;
  checkLength('ipv4PrefixLength', ipv4PrefixLength, 32);
  checkLength('ipv6PrefixLength', ipv6PrefixLength, 128);
  checkInner('SourceIpHash', inner);
  return stepwiseFactory('SourceIpHash', (backends, previous, context) =>
    SourceIpSelection.steps(new IpKey(ipv4PrefixLength, ipv6PrefixLength), inner, backends, previous, context),
  );
}

function checkLength(option: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new RangeError(`SourceIpHash: ${option} must be an integer from 0 to ${max}, got ${String(value)}`);
}

/** The factory, and how to get one that takes networks for clients. */
export interface SourceIpHashFactory extends SelectionFactory {
  /** Throws RangeError for a prefix length that is out of range, TypeError for an `inner` that is no algorithm. */
  with(options: SourceIpHashOptions): SelectionFactory;
}

/**
 * The same client goes to the same backend. The key is the client's address as text, with or without a port, or as 4 or 16 bytes; any
 * other key is hashed as it is. Of IPv6 addresses the first 64 bits count. Shares and what moves are those of `Rendezvous`.
 */
export const SourceIpHash: SourceIpHashFactory = { ...factoryOf({}), with: factoryOf };
