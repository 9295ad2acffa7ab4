// A module like the built-in ones: an access control list that any proxy can add.
import { hash } from 'node:crypto';
import { CirqueError } from '@cirque/error';
import type { HttpModule, HttpModuleBuilder, RequestHeader } from '@cirque/http';

/** Who may pass where. The first rule whose path fits decides; where none fits, nobody may pass. */
export interface AclOptions {
  readonly rules: readonly { readonly path: string; readonly users: readonly string[] | 'everybody' }[];
  /** The token of each user. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** The module at work on one request. Phases find it by this class. */
export class Acl implements HttpModule {
  /** Who asks; undefined for those without a valid token. */
  user: string | undefined;
  readonly #options: AclOptions;
  readonly #users: ReadonlyMap<string, string>;

  constructor(options: AclOptions, users: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#users = users;
  }

  /** Throwing refuses the request with a status. It is the client's fault, so no error of ours is logged. */
  requestHeaderFilter({ path, headers }: RequestHeader): void {
    this.user = this.#users.get(digest(headers.get('Authorization') ?? ''));
    const users = this.#options.rules.find((rule) => path.startsWith(rule.path))?.users ?? [];
    if (users === 'everybody' || (this.user !== undefined && users.includes(this.user))) return;
    throw CirqueError.http(403, `${this.user ?? 'somebody unknown'} may not see ${path}`, { source: 'Downstream' });
  }
}

/** What `modules.add` takes: made once, it makes a module for each request. */
export function acl(options: AclOptions): HttpModuleBuilder<Acl> {
  // Looked up by digest, so that the time it takes says nothing about the tokens.
  const users = new Map(Object.entries(options.tokens).map(([user, token]) => [digest(`Bearer ${token}`), user]));
  return { name: 'acl', order: 1_000, create: () => new Acl(options, users) };
}

function digest(text: string): string {
  return hash('sha256', text);
}
