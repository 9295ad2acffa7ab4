/**
 * One side of an A/B run: a working folder, a commit, or a whole command line, turned into a row.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commitOf } from './machine.ts';
import { UsageError } from './options.ts';
import { REPOSITORY_FOLDER } from './places.ts';
import { cirqueRow, REVERSE_PROXY, type Row } from './rows.ts';

export interface SideContext {
  /** Where commits are unpacked. */
  readonly directory: string;
  readonly say: (line: string) => void;
}

/** A command line with `{port}` and `{origin}` in the place of the two port numbers; words are split at blanks. */
function commandRow(name: string, text: string): Row {
  const command: Row['command'] = ({ listenPort, originPort }) => {
    const words = text.trim().split(/\s+/);
    const [file = '', ...args] = words.map((word) =>
      word.replaceAll('{port}', String(listenPort)).replaceAll('{origin}', String(originPort)),
    );
    return { file, args };
  };
  return { name, title: text, needs: 'node', memory: true, command };
}

function folderRow(name: string, folder: string, title: string): Row {
  const file = join(folder, REVERSE_PROXY);
  if (!existsSync(file)) throw new UsageError(`--${name} ${folder} has no ${REVERSE_PROXY}`);
  const row = cirqueRow(name, title, file);
  return { ...row, command: (context) => ({ ...row.command(context), cwd: folder }) };
}

/** Unpacks the commit into a folder of its own and installs it there. The working copy is not touched. */
function exportCommit(commit: string, name: string, context: SideContext): string {
  const folder = join(context.directory, `commit-${name}`);
  const archive = join(context.directory, `commit-${name}.tar`);
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['-C', REPOSITORY_FOLDER, 'archive', '-o', archive, commit]);
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  context.say(`installing ${commit} in a temporary folder`);
  execFileSync('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], { cwd: folder, stdio: 'pipe' });
  return folder;
}

function fullCommit(text: string): string | undefined {
  try {
    const args = ['-C', REPOSITORY_FOLDER, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${text}^{commit}`];
    return execFileSync('git', args, { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** The row for `--a` or `--b`. Throws a usage error when the text is none of the three forms. */
export function resolveSide(name: 'a' | 'b', text: string, context: SideContext): Row {
  if (text.includes('{port}')) return commandRow(name, text);
  const folder = resolve(text);
  if (existsSync(folder) && statSync(folder).isDirectory()) {
    return folderRow(name, folder, `${text} (${commitOf(folder) ?? 'no commit'})`);
  }
  const commit = fullCommit(text);
  if (commit === undefined) {
    throw new UsageError(
      `--${name} must be a folder, a commit, or a command line with {port} and {origin}, got ${JSON.stringify(text)}`,
    );
  }
  return folderRow(name, exportCommit(commit, name, context), `${text} (${commit.slice(0, 10)})`);
}
