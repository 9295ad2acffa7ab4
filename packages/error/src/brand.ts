/**
 * Recognises our errors across copies of this package.
 *
 * Two installed copies have two classes, and `instanceof` against the wrong one is silently false. The brand
 * is a registered symbol on the prototype, so every copy recognises every other copy's errors.
 */

/** Key of the brand; registered, hence the same in every copy and every realm of a process. */
export const BRAND: symbol = /* @__PURE__ */ Symbol.for('@cirque/error.CirqueError');

/** True for errors made by any copy of `CirqueError`. Never throws, whatever it is given. */
export function isBranded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Reflect.get(value, BRAND) === true;
  } catch {
    // A revoked proxy or a throwing trap: somebody else's object, certainly not our error.
    return false;
  }
}
