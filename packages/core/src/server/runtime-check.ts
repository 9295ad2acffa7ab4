/**
 * Knows which Node.js releases lack the security fixes of July 2026.
 */

/** The first fixed release of each supported line. */
const FIXED: ReadonlyMap<number, readonly [minor: number, patch: number]> = new Map([
  [22, [23, 2]],
  [24, [18, 1]],
  [26, [5, 1]],
]);

/** A sentence for the log when the given Node.js release should be replaced, else undefined. */
export function runtimeWarning(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const fixed = FIXED.get(major);
  if (fixed === undefined)
    return major > 26 ? undefined : `Node.js ${version} gets no security fixes; use 26, 24 or 22`;
  const [fixedMinor, fixedPatch] = fixed;
  if (minor > fixedMinor || (minor === fixedMinor && patch >= fixedPatch)) return undefined;
  return `Node.js ${version} lacks security fixes; use ${major}.${fixedMinor}.${fixedPatch} or later`;
}
