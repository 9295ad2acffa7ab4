/**
 * Parsers for the files under /proc that the benchmark reads. Pure: text in, numbers out.
 *
 * Source of truth: proc(5), and the kernel's Documentation/scheduler/sched-stats for `schedstat`.
 */

/** Clock ticks are 1/100 s in every Linux that user space sees (USER_HZ). */
export const TICK_MS = 10;

/** Nanoseconds that a thread has run, from `/proc/<pid>/task/<tid>/schedstat`. */
export function parseRunTimeNs(schedstat: string): number {
  const match = /^(\d+) \d+ \d+/.exec(schedstat);
  if (match?.[1] === undefined) throw new Error(`not a schedstat line: ${JSON.stringify(schedstat.slice(0, 60))}`);
  return Number(match[1]);
}

export interface ProcessStat {
  /** It has ended and only waits for its parent to notice. */
  readonly isZombie: boolean;
  readonly parentPid: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Of children that have ended and were waited for, user and system together. */
  readonly waitedTicks: number;
}

/** The fields in use of `/proc/<pid>/stat`. The name in brackets may hold spaces and brackets itself. */
export function parseProcessStat(stat: string): ProcessStat {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Field 3 (state) is fields[0]: so field n is fields[n - 3].
  const numbers = [fields[1], ...fields.slice(11, 15)].map(Number);
  const [parentPid, userTicks, systemTicks, waitedUserTicks, waitedSystemTicks] = numbers;
  if (numbers.length < 5 || numbers.some(Number.isNaN)) {
    throw new Error(`not a process stat line: ${JSON.stringify(stat.slice(0, 60))}`);
  }
  const waitedTicks = Number(waitedUserTicks) + Number(waitedSystemTicks);
  const isZombie = fields[0] === 'Z' || fields[0] === 'X';
  return {
    isZombie,
    parentPid: Number(parentPid),
    userTicks: Number(userTicks),
    systemTicks: Number(systemTicks),
    waitedTicks,
  };
}

/** Ticks that one core was busy: everything but idle and iowait; guest time is inside user time. */
export function parseCoreBusyTicks(stat: string, core: number): number {
  const line = stat.split('\n').find((candidate) => candidate.startsWith(`cpu${core} `));
  const [user, nice, system, , , irq, softirq, steal] = line?.split(' ').slice(1).map(Number) ?? [];
  const parts = [user, nice, system, irq, softirq, steal];
  if (parts.some((part) => part === undefined || Number.isNaN(part))) {
    throw new Error(`/proc/stat has no line for core ${core}`);
  }
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/** Resident memory in bytes from `/proc/<pid>/status`. */
export function parseResidentBytes(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match?.[1] === undefined) throw new Error('no VmRSS line: the process has ended');
  return Number(match[1]) * 1024;
}

/** A list of cores as the kernel writes it, `0-2,5`. */
export function parseCoreList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
