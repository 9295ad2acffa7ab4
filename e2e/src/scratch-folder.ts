/**
 * A folder of files for other programs: certificates, settings, what they write.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class ScratchFolder {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<ScratchFolder> {
    return new ScratchFolder(await mkdtemp(join(tmpdir(), 'cirque-e2e-')));
  }

  /** The path of a file in it, whether it exists or not. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Writes a file that only this user can read; answers its path. */
  async file(name: string, content: string): Promise<string> {
    const path = this.path(name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  /** Removes the folder with all that is in it. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
