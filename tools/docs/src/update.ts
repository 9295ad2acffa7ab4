/**
 * Makes the generated parts of all pages anew: `pnpm run update` in this folder.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { regenerate } from './generated.ts';
import { pages, root } from './markdown.ts';

for (const { path, text } of pages()) {
  const fresh = regenerate(text);
  if (fresh === text) continue;
  writeFileSync(join(root, path), fresh);
  console.log(`updated ${path}`);
}
