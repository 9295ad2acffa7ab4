// Where the load goes.

export interface Target {
  readonly http: number;
  readonly tls: number;
  readonly udp: number;
  readonly unix: string;
  /** Certificate of the authority, PEM. */
  readonly ca: Buffer;
}

let asked = 0;

/** A path that was never asked for before, so that the answer to another request is noticed. */
export function freshPath(prefix = ''): string {
  asked += 1;
  return `${prefix}/${asked}`;
}
