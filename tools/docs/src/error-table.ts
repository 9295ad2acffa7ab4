/**
 * Every error type with its code and the status it leads to, as the code itself answers.
 */
import { CirqueError, codeOf, ERROR_TYPES, type ErrorSource, statusFor } from '@cirque/error';

/** Types, codes, and statuses by source. `HTTPStatus` is left out: its status is its own. */
export function errorTable(): string {
  const types = ERROR_TYPES.filter((type) => type !== 'HTTPStatus');
  const rows = types.map((type) => {
    const status = (source: ErrorSource): string => {
      const found = statusFor(new CirqueError(type, '', { source }));
      return found === 0 ? 'none' : String(found);
    };
    return `| \`${type}\` | \`${codeOf(type)}\` | ${status('Upstream')} | ${status('Downstream')} | ${status('Internal')} |`;
  });
  return ['| Type | Code | Upstream | Downstream | Internal |', '|---|---|---|---|---|', ...rows].join('\n');
}
