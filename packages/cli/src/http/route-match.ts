/**
 * Which requests one route is for: path, method and fields. Hosts are the business of route-table.ts.
 */
import type { RequestHeader } from '@cirque/http';
import type { HeaderMatchConfig, HttpMatchConfig } from '../config/gateway-config.ts';
import { normalPath } from './normal-path.ts';

/**
 * The longest text that a pattern of the file is tried on. Patterns may take time by the square of the length: a path of 16 KiB would
 * take a quarter of a second, one of this length a sixteenth of that.
 */
export const MAX_PATTERN_TEXT = 4_096;

/** A condition on the path in its normal form. */
type PathTest = (path: string) => boolean;
/** A condition on the fields. */
type HeaderTest = (request: RequestHeader) => boolean;

/** See the file's head. */
export class RouteMatch {
  /** The first segment of every path that fits; undefined: any. */
  readonly segment: string | undefined;
  readonly #paths: readonly PathTest[];
  readonly #methods: ReadonlySet<string> | undefined;
  readonly #headers: readonly HeaderTest[];
  readonly #regex: RegExp | undefined;

  /** @throws SyntaxError for a regular expression that is none, TypeError for a path that can never fit. */
  constructor({ exact, headers, methods, path, regex }: HttpMatchConfig) {
    const prefix = path === undefined ? undefined : rooted(path);
    const whole = exact === undefined ? undefined : rooted(exact);
    this.#regex = regex === undefined ? undefined : new RegExp(regex);
    this.#paths = [
      ...(prefix === undefined || prefix === '/' ? [] : [prefixTest(prefix)]),
      ...(whole === undefined ? [] : [(one: string) => one === whole]),
      ...(this.#regex === undefined ? [] : [(one: string) => (this.#regex as RegExp).test(one)]),
    ];
    this.#methods = methods === undefined ? undefined : new Set(methods);
    this.#headers = Object.entries(headers).map(([name, config]) => headerTest(name, config));
    this.segment = whole !== undefined ? firstSegment(whole) : prefix === '/' ? undefined : firstSegment(prefix);
  }

  /** The path counts. */
  get readsPath(): boolean {
    return this.#paths.length > 0;
  }

  /** The path is tried with a regular expression: it must not be longer than {@link MAX_PATTERN_TEXT}. */
  get hasPattern(): boolean {
    return this.#regex !== undefined;
  }

  /** All conditions hold. `path`: in its normal form. */
  fits(request: RequestHeader, path: string): boolean {
    if (this.#methods !== undefined && !this.#methods.has(request.method)) return false;
    for (const test of this.#paths) if (!test(path)) return false;
    for (const test of this.#headers) if (!test(request)) return false;
    return true;
  }

  /** What the groups of the regular expression have caught; undefined without one. */
  groups(path: string): readonly (string | undefined)[] | undefined {
    return this.#regex?.exec(path) ?? undefined;
  }
}

/** The text before the second slash; undefined for no path. */
export function firstSegment(path: string): string;
export function firstSegment(path: string | undefined): string | undefined;
export function firstSegment(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const end = path.indexOf('/', 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}

/** `/api` fits `/api` and `/api/x`; `/api/` only what is under it. */
function prefixTest(prefix: string): PathTest {
  if (prefix.endsWith('/')) return (path) => path.startsWith(prefix);
  const { length } = prefix;
  return (path) => path.startsWith(prefix) && (path.length === length || path.charCodeAt(length) === 0x2f);
}

/** As paths of requests are seen. */
function rooted(path: string): string {
  const normal = path.startsWith('/') ? normalPath(path) : undefined;
  if (normal !== undefined) return normal.path;
  throw new TypeError(
    `path ${JSON.stringify(path)} of a route never fits: expected one that begins with a slash and does not lead above it`,
  );
}

function headerTest(name: string, { exact, present, regex }: HeaderMatchConfig): HeaderTest {
  const pattern = regex === undefined ? undefined : new RegExp(regex);
  return ({ headers }) => {
    const values = headers.getAll(name);
    if (present === false) return values.length === 0;
    if (values.length === 0) return false;
    // Lines of one name are one list (RFC 9110 section 5.3).
    const value = values.length === 1 ? (values[0] as string) : values.join(', ');
    if (exact !== undefined && value !== exact) return false;
    return pattern === undefined || (value.length <= MAX_PATTERN_TEXT && pattern.test(value));
  };
}
