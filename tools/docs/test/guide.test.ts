import { join } from 'node:path';
import { requireTool } from '@cirque-internal/config/system-tools';
import { describe, test } from 'vitest';
import { actOut } from '../src/act-out.ts';
import { pages, root } from '../src/markdown.ts';
import { transcript } from '../src/transcript.ts';

const guide = pages(join(root, 'docs/guide')).filter(({ text }) =>
  transcript(text).some(({ kind }) => kind === 'command'),
);
const openssl = requireTool('openssl');

describe.each(guide)('$path', ({ text }) => {
  const steps = transcript(text);
  const needsOpenssl = steps.some((step) => step.kind === 'command' && step.words[0] === 'openssl');

  test.skipIf(needsOpenssl && openssl.path === undefined)(
    'its programs do what the page says, and end with 0 at SIGTERM',
    () => actOut(steps),
  );
});
