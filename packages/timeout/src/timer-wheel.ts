/**
 * Keeps any number of coarse timers behind at most one timer of the runtime.
 *
 * A ring of slots, one per tick; an entry hangs in the slot of the tick at which it is looked at next. That is the
 * tick of its deadline, or an earlier one: entries whose deadline was moved back, or lies beyond the ring, are hung
 * anew when their slot comes up, and disarmed ones dropped. Entries are intrusive list nodes: nothing is allocated
 * after their creation, and most changes touch the entry alone.
 *
 * Invariants: every entry's tick is in (current, current + SLOTS); no entry's tick is in (current, wake).
 */
import { type Clock, systemClock } from './clock.ts';

/** Ring size, a power of two. With ticks of 20 ms a turn is 82 s, so that usual HTTP deadlines fit into one. */
const SLOTS = 4096;
const MASK = SLOTS - 1;
const HALF = SLOTS / 2;
const UNLINKED = -1;
const NEVER = Number.MAX_SAFE_INTEGER;

/** Calls `run` once, `delayMs` from now, and returns a function that calls it off. */
export type Schedule = (run: () => void, delayMs: number) => () => void;

/** What a wheel is made of; everything has a default that suits servers. */
export interface TimerWheelOptions {
  /** Default: the process's monotonic clock. */
  clock?: Clock | undefined;
  /** Resolution, from 1 to 1,000 ms. Default 20. Timers fire up to this much late, never early. */
  tickMs?: number | undefined;
  /**
   * Who calls `advance`. Default: one `setTimeout`, which does not keep the process alive. `'manual'`: nobody, the
   * test does; this is the default when a `clock` is given, as real timers know nothing of that clock.
   */
  schedule?: Schedule | 'manual' | undefined;
}

/** A list node of the wheel. Belongs to exactly one wheel; made by `createEntry`, used through `Timer`. */
export interface WheelEntry {
  /** Clock time from which `expire` may be called. */
  deadline: number;
  /** What to call; `undefined` when not armed, so that a node left in the ring holds nobody in memory. */
  expire: (() => void) | undefined;
  /** The tick whose slot it hangs in, -1 when it hangs nowhere. */
  tick: number;
  next: WheelEntry | undefined;
  prev: WheelEntry | undefined;
}

/** An entry that is neither armed nor linked. */
export function createEntry(): WheelEntry {
  // The deadline starts as a fraction, so that the engine stores it as a double from the beginning.
  return { deadline: -0.5, expire: undefined, tick: UNLINKED, next: undefined, prev: undefined };
}

/** The timers of one thread, or of one test. Throws RangeError for a `tickMs` outside of 1 to 1,000. */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #schedule: Schedule;
  readonly #origin: number;
  readonly #slots: (WheelEntry | undefined)[] = new Array<WheelEntry | undefined>(SLOTS).fill(undefined);
  /** One bit per slot. A set bit may stand for a slot emptied since, a clear bit never for a slot in use. */
  readonly #occupied: Uint32Array = new Uint32Array(SLOTS / 32);
  readonly #run = (): void => this.advance();
  /** The last tick that is done with. */
  #current = 0;
  /** The tick `advance` is scheduled for. */
  #wake: number = NEVER;
  #cancelWake: (() => void) | undefined;
  #armed = 0;
  #linked = 0;
  #advancing = false;
  #spread = 0;

  constructor(options: TimerWheelOptions = {}) {
    const { clock, tickMs = 20, schedule = clock === undefined ? scheduleTimeout : 'manual' } = options;
    if (!(tickMs >= 1 && tickMs <= 1000)) {
      throw new RangeError(`tickMs of a TimerWheel must be from 1 to 1000 milliseconds, got ${String(tickMs)}`);
    }
    this.#clock = clock ?? systemClock;
    this.#tickMs = tickMs;
    this.#schedule = schedule === 'manual' ? scheduleNothing : schedule;
    this.#origin = this.#clock.now();
  }

  /** How many timers are armed. */
  get size(): number {
    return this.#armed;
  }

  /**
   * Expires everything that is due now. The wheel arranges for the call itself unless it is driven by hand.
   *
   * Callbacks may arm and disarm any timer, their own included: one that is armed without delay over and over expires once
   * or twice in a call, not for ever. What a callback throws becomes an uncaught exception after the others have run.
   * A call from inside a callback does nothing.
   */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    const target = this.#tickNow();
    if (target - this.#current >= SLOTS) this.#jumpBefore(target);
    for (let tick = this.#nextOccupied(); tick <= target; tick = this.#nextOccupied()) {
      this.#current = tick;
      this.#empty(tick & MASK);
    }
    if (target > this.#current) this.#current = target;
    this.#advancing = false;
    this.#scheduleWake(this.#nextOccupied());
  }

  /**
   * Arms the entry, or moves its deadline. O(1); moving it back stores a number and nothing else.
   * Throws RangeError for a delay that is not a finite number of at least 0.
   */
  arm(entry: WheelEntry, expire: () => void, delayMs: number): void {
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`a timer's delay must be a finite number of milliseconds from 0, got ${String(delayMs)}`);
    }
    const now = this.#clock.now();
    if (entry.expire === undefined) this.#armed += 1;
    entry.expire = expire;
    entry.deadline = now + delayMs;
    const tick = this.#tickOf(entry.deadline);
    if (entry.tick !== UNLINKED) {
      if (tick >= entry.tick) return;
      this.#unlink(entry);
    }
    this.#catchUp(Math.floor((now - this.#origin) / this.#tickMs));
    this.#link(entry, tick);
  }

  /**
   * Disarms the entry. Harmless when it is not armed. The node itself stays in the ring until its slot comes up, at
   * most one turn later, as it will most likely be armed again before that.
   */
  disarm(entry: WheelEntry): void {
    if (entry.expire === undefined) return;
    entry.expire = undefined;
    this.#armed -= 1;
  }

  /** Disarms the entry and takes its node out of the ring at once. O(1). */
  remove(entry: WheelEntry): void {
    this.disarm(entry);
    if (entry.tick !== UNLINKED) this.#unlink(entry);
  }

  /** Milliseconds until the deadline; 0 when it has passed or the entry is not armed. */
  remainingMs(entry: WheelEntry): number {
    return entry.expire === undefined ? 0 : Math.max(0, entry.deadline - this.#clock.now());
  }

  /** Rounded up, so that at the time of the tick the deadline has passed. */
  #tickOf(time: number): number {
    return Math.ceil((time - this.#origin) / this.#tickMs);
  }

  #tickNow(): number {
    return Math.floor((this.#clock.now() - this.#origin) / this.#tickMs);
  }

  /** Skips ticks that passed while nothing was due, so that a turn of the ring counts from now. */
  #catchUp(nowTick: number): void {
    if (this.#advancing) return;
    const quietUntil = this.#linked === 0 ? nowTick : Math.min(nowTick, this.#wake - 1);
    if (quietUntil > this.#current) this.#current = quietUntil;
  }

  #link(entry: WheelEntry, dueTick: number): void {
    let tick = dueTick > this.#current ? dueTick : this.#current + 1;
    if (tick - this.#current >= SLOTS) {
      // Beyond the ring: look again in half a turn or later. Spread out, lest a crowd come up in one tick.
      this.#spread = (this.#spread + 1) & (HALF - 1);
      tick = this.#current + HALF + this.#spread;
    }
    const slot = tick & MASK;
    const head = this.#slots[slot];
    entry.tick = tick;
    entry.next = head;
    if (head !== undefined) head.prev = entry;
    this.#slots[slot] = entry;
    this.#occupied[slot >>> 5] = (this.#occupied[slot >>> 5] as number) | (1 << (slot & 31));
    this.#linked += 1;
    if (tick < this.#wake && !this.#advancing) this.#scheduleWake(tick);
  }

  #unlink(entry: WheelEntry): void {
    const { next, prev } = entry;
    if (prev === undefined) this.#slots[entry.tick & MASK] = next;
    else prev.next = next;
    if (next !== undefined) next.prev = prev;
    entry.tick = UNLINKED;
    entry.next = undefined;
    entry.prev = undefined;
    this.#linked -= 1;
  }

  /** Takes entries out one by one: a callback may disarm or remove any of those that are still in the slot. */
  #empty(slot: number): void {
    for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
      this.#unlink(entry);
      const { expire } = entry;
      if (expire === undefined) continue;
      const dueTick = this.#tickOf(entry.deadline);
      if (dueTick > this.#current) {
        this.#link(entry, dueTick);
      } else {
        this.disarm(entry);
        callReporting(expire);
      }
    }
  }

  /**
   * After a pause of more than a turn (the machine slept), hangs every entry where it belongs as of now; else each
   * long one would be moved on turn by turn through all of the time that has passed.
   */
  #jumpBefore(target: number): void {
    const entries: WheelEntry[] = [];
    for (let slot = 0; slot < SLOTS; slot += 1) {
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
        this.#unlink(entry);
        if (entry.expire !== undefined) entries.push(entry);
      }
    }
    this.#current = target - 1;
    for (const entry of entries) this.#link(entry, this.#tickOf(entry.deadline));
  }

  /** The earliest tick after the current one whose slot is in use; NEVER if there is none. */
  #nextOccupied(): number {
    if (this.#linked === 0) return NEVER;
    for (let tick = this.#current + 1; tick < this.#current + SLOTS; tick += 1) {
      const slot = tick & MASK;
      const bits = (this.#occupied[slot >>> 5] as number) >>> (slot & 31);
      if (bits === 0) {
        tick += 31 - (slot & 31);
        continue;
      }
      tick += 31 - Math.clz32(bits & -bits);
      if (this.#slots[tick & MASK] !== undefined) return tick;
      this.#forget(tick & MASK);
    }
    return NEVER;
  }

  #forget(slot: number): void {
    this.#occupied[slot >>> 5] = (this.#occupied[slot >>> 5] as number) & ~(1 << (slot & 31));
  }

  #scheduleWake(tick: number): void {
    this.#cancelWake?.();
    this.#wake = tick;
    if (tick === NEVER) {
      this.#cancelWake = undefined;
      return;
    }
    const delayMs = this.#origin + tick * this.#tickMs - this.#clock.now();
    this.#cancelWake = this.#schedule(this.#run, Math.max(1, Math.ceil(delayMs)));
  }
}

function callReporting(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function scheduleTimeout(run: () => void, delayMs: number): () => void {
  const timeout = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timeout);
}

function scheduleNothing(): () => void {
  return () => undefined;
}

/** The wheel of this thread, used by whoever names no other. Idle until its first timer is armed. */
export const defaultWheel: TimerWheel = /* @__PURE__ */ new TimerWheel();
