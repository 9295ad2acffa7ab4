/**
 * Which module worker threads run, and with which options of Node.js.
 */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CirqueError } from '@cirque/error';

/** The module that workers run. */
export interface Entry {
  readonly url: URL;
  /** Options of Node.js for the worker; undefined: those of this process. */
  readonly execArgv: readonly string[] | undefined;
}

/**
 * The module that was started, or the one that is given. With a given one only `--conditions` of this process go to the
 * workers: the rest may belong to another program, such as a test runner.
 *
 * @throws CirqueError when it is not known which module was started (`node --eval`, REPL).
 */
export function entryOf(given: string | URL | undefined, argv: readonly string[], execArgv: readonly string[]): Entry {
  if (given !== undefined) return { url: urlOf(given), execArgv: conditionsOf(execArgv) };
  const started = argv[1];
  if (started === undefined || started === '-') {
    throw CirqueError.internal(
      'InternalError',
      'threads above 1 need a module to run in them: start one, or give the option `entry`',
    );
  }
  return { url: pathToFileURL(createRequire(join(process.cwd(), 'entry')).resolve(started)), execArgv: undefined };
}

function urlOf(given: string | URL): URL {
  if (given instanceof URL) return given;
  if (given.startsWith('file:')) return new URL(given);
  return pathToFileURL(isAbsolute(given) ? given : join(process.cwd(), given));
}

/** `--conditions=x`, `--conditions x` and `-C x` of these options. */
function conditionsOf(execArgv: readonly string[]): readonly string[] {
  return execArgv.flatMap((word, index) => {
    if (word.startsWith('--conditions=') || word.startsWith('-C=')) return [word];
    const value = execArgv[index + 1];
    return (word === '--conditions' || word === '-C') && value !== undefined ? [`--conditions=${value}`] : [];
  });
}
