/**
 * Packs every public package as a release would, and reads what came out.
 * Needs the builds: `npm test` makes them first, by hand it is `pnpm exec turbo run build`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runProgram } from './run-program.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Tarball {
  readonly file: string;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly manifest: Manifest;
  /** Paths inside the package, without the leading `package/`. */
  readonly paths: readonly string[];
}

/** Entries of a tar archive: name, size and where the content begins (POSIX ustar, which is what pnpm writes). */
function* entries(archive: Buffer): Generator<{ name: string; content: Buffer }> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      archive.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim(), 8);
    const prefix = text(345, 155);
    const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    yield { name, content: archive.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function readTarball(file: string): Tarball {
  const data = new Uint8Array(readFileSync(file));
  const paths: string[] = [];
  let manifest: Manifest | undefined;
  for (const { name, content } of entries(gunzipSync(data))) {
    const path = name.replace(/^package\//, '');
    paths.push(path);
    if (path === 'package.json') manifest = JSON.parse(content.toString('utf8'));
  }
  if (manifest === undefined) throw new Error(`${file} holds no package.json`);
  return { file, data, manifest, paths };
}

/** Names of the folders of packages/ that are published. */
export function publicPackages(root: string): string[] {
  const folder = join(root, 'packages');
  return readdirSync(folder).filter((name) => {
    const path = join(folder, name, 'package.json');
    return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).private !== true;
  });
}

/** Packs one package into `destination`. Throws when it was not built or pnpm refuses. */
export async function packPackage(root: string, name: string, destination: string): Promise<Tarball> {
  const cwd = join(root, 'packages', name);
  if (!existsSync(join(cwd, 'dist', 'index.d.ts')))
    throw new Error(`packages/${name} is not built: run "turbo run build"`);
  const { code, output } = await runProgram('pnpm', ['pack', '--pack-destination', destination], { cwd });
  if (code !== 0) throw new Error(`pnpm pack failed for packages/${name}: ${output}`);
  const { version } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
  return readTarball(join(destination, `cirque-${name}-${version}.tgz`));
}
