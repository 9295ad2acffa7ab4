/**
 * Paths of files. Relative ones begin in the folder of the configuration file (config/absolute-paths.ts).
 */
import type { z } from 'zod';
import { text } from './basic-values.ts';

/** A path. */
export const filePath: z.ZodType<string> = text('path', 'the path of a file', /^[^\p{Cc}]+$/u);
