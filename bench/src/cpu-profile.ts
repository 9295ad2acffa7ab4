/**
 * Reads a V8 CPU profile: self time by function and by file, within a window of time. Pure.
 *
 * Format: the `Profile` type of the Chrome DevTools protocol (domain Profiler), as `node --cpu-prof` writes it.
 */

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Microseconds on the monotonic clock of the machine. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds since the sample before, the first since `startTime`. */
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  readonly file: string;
  readonly selfUs: number;
}

export interface ProfileWindow {
  readonly fromUs: number;
  readonly untilUs: number;
}

/** Self time per profile node id. A sample stands for the time until the next one. */
function selfTimeByNode(profile: CpuProfile, window: ProfileWindow): Map<number, number> {
  const byNode = new Map<number, number>();
  let at = profile.startTime;
  profile.samples.forEach((node, index) => {
    at += profile.timeDeltas[index] ?? 0;
    const length = profile.timeDeltas[index + 1] ?? 0;
    // A gap in the samples (the process slept in the kernel) can make a delta negative or huge; both are real time.
    if (at < window.fromUs || at >= window.untilUs || length <= 0) return;
    byNode.set(node, (byNode.get(node) ?? 0) + length);
  });
  return byNode;
}

/** File of a frame, relative to `root` when it lies below it. Native functions have none. */
function fileOf(url: string, root: string): string {
  const path = url.startsWith('file://') ? decodeURIComponent(url.slice('file://'.length)) : url;
  if (path === '') return '(native)';
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Self time of every function, longest first; functions of one name, file and line are one. */
export function selfTimes(profile: CpuProfile, window: ProfileWindow, root: string): SelfTime[] {
  const byNode = selfTimeByNode(profile, window);
  const byFunction = new Map<string, SelfTime>();
  for (const { id, callFrame } of profile.nodes) {
    const selfUs = byNode.get(id);
    if (selfUs === undefined) continue;
    const file = fileOf(callFrame.url, root);
    const place = callFrame.url === '' ? file : `${file}:${callFrame.lineNumber + 1}`;
    const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
    const key = `${name} ${place}`;
    byFunction.set(key, { name, file: place, selfUs: selfUs + (byFunction.get(key)?.selfUs ?? 0) });
  }
  return [...byFunction.values()].sort((a, b) => b.selfUs - a.selfUs);
}

/** The same summed up by file. */
export function byFile(times: readonly SelfTime[]): SelfTime[] {
  const sums = new Map<string, number>();
  for (const { name, file, selfUs } of times) {
    // V8's own categories, "(program)" and "(garbage collector)", are not one thing and stay apart.
    const key = name.startsWith('(') && file === '(native)' ? name : file.replace(/:\d+$/, '');
    sums.set(key, (sums.get(key) ?? 0) + selfUs);
  }
  return [...sums].map(([file, selfUs]) => ({ name: '', file, selfUs })).sort((a, b) => b.selfUs - a.selfUs);
}

/** Leaves out the time in which nothing ran. */
export function withoutIdle(times: readonly SelfTime[]): SelfTime[] {
  return times.filter(({ name }) => name !== '(idle)');
}
